import type { Capability } from '../capability.js';
import { commands } from './commands.js';
import { ImportRow, SessionRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

/** Its documents stand in channel `schedule`, which the conferences capability names. */
export const sessions: Capability = {
  name: 'sessions',
  events,
  commands,
  channels: [],
  projections: [projection],
  entities: [SessionRow, ImportRow],
};
