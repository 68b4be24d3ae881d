/**
 * Tickets: what a client shows before the upgrade, when its token is not known yet. They open a place of a class and nothing else:
 * who somebody is and what they may do, the token says afterwards (D16).
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { defineLimit } from '#libs/limits';
import type { ClientClass } from '#libs/protocol';
import type { Role } from '../../conference/capability.js';

/** How long a ticket opens a place, seconds; each CONNECT hands out the next one. */
export const TICKET_SECONDS = defineLimit({
  name: 'access.ticket',
  value: 2 * 24 * 3_600,
  unit: 'seconds',
  beyond: 'the ticket counts as none',
});
const MAC_BYTES = 16;
const HEAD_BYTES = 5;
const CLASSES: readonly ClientClass[] = ['phone', 'desk', 'screen'];

/** Whose place somebody takes, whatever their client calls itself. */
export function classOfRole(role: Role): ClientClass {
  if (role === 'attendee' || role === 'producer') return 'phone';
  return role === 'screen' ? 'screen' : 'desk';
}

/** @param now milliseconds since 1970. @returns class, end and a MAC of both, 28 characters */
export function writeTicket(secret: Buffer, cls: ClientClass, now: number): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = CLASSES.indexOf(cls);
  head.writeUInt32BE(Math.floor(now / 1_000) + TICKET_SECONDS, 1);
  return Buffer.concat([head, macOf(secret, head)]).toString('base64url');
}

/** null: of none of these keys, past its end, or no ticket at all. @param now milliseconds since 1970 */
export function readTicket(secrets: readonly Buffer[], ticket: unknown, now: number): ClientClass | null {
  if (typeof ticket !== 'string' || ticket.length !== Math.ceil(((HEAD_BYTES + MAC_BYTES) * 4) / 3)) return null;
  const bytes = Buffer.from(ticket, 'base64url');
  if (bytes.length !== HEAD_BYTES + MAC_BYTES) return null;
  const head = bytes.subarray(0, HEAD_BYTES);
  const mac = bytes.subarray(HEAD_BYTES);
  if (!secrets.some((secret) => timingSafeEqual(macOf(secret, head), mac))) return null;
  if (head.readUInt32BE(1) * 1_000 <= now) return null;
  return CLASSES[head[0] as number] ?? null;
}

const macOf = (secret: Buffer, head: Buffer): Buffer =>
  createHmac('sha256', secret).update(head).digest().subarray(0, MAC_BYTES);
