/** Who this browser is, per conference: tokens that links and join codes gave it. */
import { call } from './http.js';
import { forget, keep, kept } from './kept.js';

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
    const { sub, role } = JSON.parse(atob(payload)) as { sub?: string; role?: string };
    return sub && role ? { token, actor: sub, role } : undefined;
  } catch {
    return undefined;
  }
}

/** The first of these roles that this browser has a token for. */
export function identityFor(conference: string, roles: readonly string[]): Identity | undefined {
  for (const role of roles) {
    const found =
      readToken(kept(nameOf(role, conference))) ?? (role === 'organizer' ? readToken(kept(ORGANIZER)) : undefined);
    if (found) return found;
  }
  return undefined;
}

export const keepIdentity = (role: string, conference: string, token: string): void =>
  keep(nameOf(role, conference), token);

export function forgetIdentity(role: string, conference: string): void {
  forget(nameOf(role, conference));
}

interface Redeemed {
  readonly token: string;
  readonly actor: string;
  readonly role: string;
  readonly conference: string;
}

/** A value in the fragment, which browsers keep out of requests and server logs; read once. */
export function takeFromFragment(name: string): string | undefined {
  const values = new URLSearchParams(location.hash.slice(1));
  const value = values.get(name);
  if (value) history.replaceState(null, '', location.pathname + location.search);
  return value ?? undefined;
}

/** Redeems the one-time link in the fragment, if there is one. @throws Refused */
export async function redeemLink(): Promise<Redeemed | undefined> {
  const code = takeFromFragment('link');
  if (!code) return undefined;
  const redeemed = await call<Redeemed>(`/v1/links/${encodeURIComponent(code)}`, { body: {} });
  keepIdentity(redeemed.role, redeemed.conference, redeemed.token);
  return redeemed;
}

/** @throws Refused (the code is wrong, or many join at once) */
export async function join(conference: string, code: string): Promise<Identity> {
  const { token, actor } = await call<{ token: string; actor: string }>(
    `/v1/conferences/${encodeURIComponent(conference)}/join`,
    { body: { code } },
  );
  keepIdentity('attendee', conference, token);
  return { token, actor, role: 'attendee' };
}
