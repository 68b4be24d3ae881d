import { v5 as uuidv5 } from 'uuid';
import { DERIVED, UUID } from './reading.js';

/** The guid under which a thing is exported: its id where that is one, else derived from it. An import finds the thing by it again. */
export const guidOf = (conference: string, kind: 'room' | 'session', id: string): string =>
  UUID.test(id) ? id.toLowerCase() : uuidv5(`${conference}|${kind}-id|${id}`, DERIVED);

/** Page of a session: what stands in an export where the session has no address of its own. */
export const pageOf = (publicUrl: string, conference: string, session: string): string =>
  `${publicUrl}/c/${conference}/s/${session}`;

/** Acronyms of the formats have at least four characters; `slugFrom` takes what is added off again. */
export const acronymOf = (conference: string): string => conference.padEnd(4, '_');
