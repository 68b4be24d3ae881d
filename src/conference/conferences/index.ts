import type { Capability } from '../capability.js';
import { commands } from './commands.js';
import { ConferenceRow, RoomRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

export const conferences: Capability = {
  name: 'conferences',
  events,
  commands,
  channels: [
    {
      pattern: 'schedule',
      summary: 'The conference, its rooms and sessions',
      by: ['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer'],
    },
    // Not for attendees: whoever has the code in hand may pass it on, but a token alone brings nobody else in.
    { pattern: 'join', summary: 'The code to join with', by: ['organizer', 'moderator', 'operator', 'screen'] },
  ],
  projections: [projection],
  entities: [ConferenceRow, RoomRow],
};
