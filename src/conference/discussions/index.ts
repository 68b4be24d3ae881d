import { type Capability, EVERYBODY } from '../capability.js';
import { commands } from './commands.js';
import { DiscussionMessageRow, DiscussionRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';
import { messages } from './views.js';

export const discussions: Capability = {
  name: 'discussions',
  events,
  commands,
  channels: [
    {
      pattern: 'session/:session/discussion',
      summary: 'The last 500 messages of a session’s discussion',
      by: EVERYBODY,
      older: { kind: 'message', table: messages.name, where: ({ session = '' }) => ({ session }), order: 'seq' },
    },
  ],
  projections: [projection],
  entities: [DiscussionRow, DiscussionMessageRow],
};
