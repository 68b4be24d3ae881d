import { type Capability, EVERYBODY } from '../capability.js';
import { commands } from './commands.js';
import { STREAM } from './decider.js';
import { UpdateRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

export const updates: Capability = {
  name: 'updates',
  stream: STREAM,
  events,
  commands,
  channels: [
    { pattern: 'updates', summary: 'News; whom each is for is in it', by: EVERYBODY },
    { pattern: 'crew', summary: 'News for crew only', by: ['organizer', 'moderator', 'operator'] },
  ],
  projections: [projection],
  entities: [UpdateRow],
};
