import type { Lane } from '#libs/event-log';
import type { Identity } from '../../conference/capability.js';

/** Whose commands go first (D8). All commands of one person are in one lane, so that they keep their order. */
export function laneOf({ role }: Pick<Identity, 'role'>): Lane {
  if (role === 'moderator' || role === 'organizer' || role === 'operator') return 'interactive';
  return role === 'producer' ? 'bulk' : 'attendee';
}
