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
  ],
  projections: [projection],
  entities: [ConferenceRow, RoomRow],
};
