import type { Capability } from '../capability.js';
import { commands } from './commands.js';
import { ErasedPersonRow, ModeratorRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

export const access: Capability = {
  name: 'access',
  stream: 'access',
  events,
  commands,
  channels: [
    { pattern: '_access', summary: 'Grants, erased people, the join code: for doors and deciders', by: [] },
    { pattern: 'moderators', summary: 'Who may moderate what', by: ['organizer'] },
  ],
  projections: [projection],
  entities: [ModeratorRow, ErasedPersonRow],
};
