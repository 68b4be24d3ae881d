/** Who this browser is, per conference: tokens that links and join codes gave it. */
import { load, remove, save } from './browser/local-store.js';
import { call, Refused } from './http.js';
import { keepTicket } from './tickets.js';

export interface Identity {
  readonly token: string;
  readonly actor: string;
  readonly role: string;
}

const ORGANIZER = 'organizer';
const nameOf = (role: string, conference: string): string =>
  role === 'organizer' && conference === '*' ? ORGANIZER : `${role}.${conference}`;

/** What a token says of itself; the service alone can check it. */
export function readToken(token: string | undefined): Identity | undefined {
  if (!token) return undefined;
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { sub, role } = JSON.parse(atob(payload)) as { sub?: unknown; role?: unknown };
    if (typeof sub !== 'string' || typeof role !== 'string' || sub === '' || role === '') return undefined;
    return { token, actor: sub, role };
  } catch {
    return undefined;
  }
}

/** The first of these roles that this browser has a token for. */
export function identityFor(conference: string, roles: readonly string[]): Identity | undefined {
  for (const role of roles) {
    const found =
      readToken(load(nameOf(role, conference))) ?? (role === 'organizer' ? readToken(load(ORGANIZER)) : undefined);
    if (found) return found;
  }
  return undefined;
}

export function saveIdentity(role: string, conference: string, token: string): void {
  save(nameOf(role, conference), token);
}

export function forgetIdentity(role: string, conference: string): void {
  remove(nameOf(role, conference));
}

interface Redeemed {
  readonly token: string;
  readonly actor: string;
  readonly role: string;
  readonly conference: string;
  readonly ticket?: string;
}

/** A value in the fragment, which browsers keep out of requests and server logs. */
export const inFragment = (name: string): string | undefined =>
  new URLSearchParams(location.hash.slice(1)).get(name) || undefined;

/** The value leaves the address, so that a copied address does not hand it on. */
export function takeFromFragment(name: string): string | undefined {
  const values = new URLSearchParams(location.hash.slice(1));
  const value = values.get(name);
  if (value === null) return undefined;
  values.delete(name);
  const rest = values.size > 0 ? `#${values}` : '';
  history.replaceState(history.state, '', location.pathname + location.search + rest);
  return value || undefined;
}

/**
 * Redeems the one-time link in the fragment. It stays in the address until the service has answered: a reload tries it again.
 *
 * @throws Refused, or TypeError while the service cannot be reached
 */
export async function redeemLink(): Promise<Redeemed | undefined> {
  const code = inFragment('link');
  if (!code) return undefined;
  try {
    const redeemed = await call<Redeemed>(`/v1/links/${encodeURIComponent(code)}`, { body: {} });
    saveIdentity(redeemed.role, redeemed.conference, redeemed.token);
    keepTicket(redeemed.conference, redeemed.role, redeemed.ticket);
    takeFromFragment('link');
    return redeemed;
  } catch (error) {
    if (error instanceof Refused && error.code >= 200) takeFromFragment('link');
    throw error;
  }
}

/** @throws Refused (the code is wrong, or many join at once) */
export async function join(conference: string, code: string): Promise<Identity> {
  const { token, actor, ticket } = await call<{ token: string; actor: string; ticket?: string }>(
    `/v1/conferences/${encodeURIComponent(conference)}/join`,
    { body: { code } },
  );
  saveIdentity('attendee', conference, token);
  keepTicket(conference, 'attendee', ticket);
  return { token, actor, role: 'attendee' };
}
