import { type Capability, EVERYBODY } from '../capability.js';
import { commands } from './commands.js';
import { QaRow, QuestionRow, QuestionVoteRow } from './entities.js';
import { events } from './events.js';
import { projection } from './projection.js';

export const questions: Capability = {
  name: 'questions',
  events,
  commands,
  channels: [
    { pattern: 'session/:session/questions', summary: 'Approved questions, the one on stage, counts', by: EVERYBODY },
    {
      pattern: 'session/:session/desk',
      summary: 'Every question, who acted, why',
      by: ['organizer', 'moderator'],
      granted: true,
    },
    { pattern: 'me/:actor', summary: 'One’s own questions, votes and outcomes', by: EVERYBODY },
    { pattern: '_authors', summary: 'Who asked what: for deciders', by: [] },
  ],
  projections: [projection],
  entities: [QaRow, QuestionRow, QuestionVoteRow],
};
