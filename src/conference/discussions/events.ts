import { z } from 'zod';
import { event } from '../capability.js';
import { line, personal, text, thingId } from '../kernel.js';

export const messageText = text(1_000);
export const displayName = line(60);
export const topic = line(300);
export const reason = line(200);

const session = z.object({ session: thingId });
const message = session.extend({ message: thingId });
const one = { session: 's1', message: 'm1' };

export const events = [
  event({
    type: 'discussion-opened',
    version: 1,
    summary: 'A session has a discussion',
    schema: session.extend({ topic }),
    example: { session: 's1', topic: 'What would you automate last?' },
    inverse: 'discussion-closed',
    audited: true,
  }),
  event({
    type: 'discussion-closed',
    version: 1,
    summary: 'The discussion can only be read',
    schema: session,
    example: { session: 's1' },
    inverse: 'discussion-reopened',
    audited: true,
  }),
  event({
    type: 'discussion-reopened',
    version: 1,
    summary: 'The discussion goes on',
    schema: session,
    example: { session: 's1' },
    inverse: 'discussion-closed',
    audited: true,
  }),
  event({
    type: 'message-posted',
    version: 1,
    summary: 'Somebody says something',
    schema: session.extend({ text: personal(messageText), name: personal(displayName).nullable() }),
    example: { session: 's1', text: 'Start with the rollback.', name: null },
    takenAs: 'post-message',
    inverse: 'message-withdrawn',
    audited: false,
  }),
  event({
    type: 'message-edited',
    version: 1,
    summary: 'The author words it anew',
    schema: message.extend({ text: personal(messageText) }),
    example: { ...one, text: 'Start with the roll-back.' },
    inverse: 'message-edited',
    audited: false,
  }),
  event({
    type: 'message-withdrawn',
    version: 1,
    summary: 'The author takes it back',
    schema: message,
    example: one,
    inverse: { none: 'the author may post again' },
    audited: false,
  }),
  event({
    type: 'message-hidden',
    version: 1,
    summary: 'It is not shown',
    schema: message.extend({ reason }),
    example: { ...one, reason: 'unkind' },
    inverse: 'message-restored',
    audited: true,
  }),
  event({
    type: 'message-restored',
    version: 1,
    summary: 'It is shown again',
    schema: message,
    example: one,
    inverse: 'message-hidden',
    audited: true,
  }),
  event({
    type: 'message-promoted',
    version: 1,
    summary: 'It becomes a question of the session, by its own author; the question’s id is this event’s',
    schema: message.extend({
      author: z.string().min(1).max(100),
      text: personal(messageText, { path: 'author' }),
      name: personal(displayName, { path: 'author' }).nullable(),
    }),
    example: { ...one, author: 'a1', text: 'How do you start?', name: null },
    inverse: { none: 'the question is dismissed at the desk' },
    audited: true,
  }),
];
