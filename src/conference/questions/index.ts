import type { Capability, Role } from '../capability.js';
import { commands } from './commands.js';
import { QaRow, QuestionRow, QuestionVoteRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

const everybody: readonly Role[] = ['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer'];

export const questions: Capability = {
  name: 'questions',
  events,
  commands,
  channels: [
    { pattern: 'session/:session/questions', summary: 'Approved questions, the one on stage, counts', by: everybody },
    {
      pattern: 'session/:session/desk',
      summary: 'Every question, who acted, why',
      by: ['organizer', 'moderator'],
      granted: true,
    },
    { pattern: 'me/:actor', summary: 'One’s own questions, votes and outcomes', by: everybody },
    { pattern: '_authors', summary: 'Who asked what: for deciders', by: [] },
  ],
  projections: [projection],
  entities: [QaRow, QuestionRow, QuestionVoteRow],
};
