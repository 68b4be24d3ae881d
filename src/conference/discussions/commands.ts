import { z } from 'zod';
import { ANY_SESSION, command } from '../capability.js';
import { thingId } from '../kernel.js';
import * as decide from './decider.js';
import { displayName, messageText, reason, topic } from './events.js';

const session = z.object({ session: thingId });
const message = z.object({ message: thingId });
const one = { message: 'm1' };
const sessionId = (data: { readonly session: string }) => data.session;
const staff = { by: ['organizer', 'moderator'] as const };
const everybody = { by: ['attendee', 'moderator', 'organizer'] as const, session: () => ANY_SESSION };
const perMinute = { points: 20, perSeconds: 60 };

export const commands = [
  command({
    type: 'open-discussion',
    summary: 'Open a discussion on a session',
    schema: session.extend({ topic: topic.nullable().default(null).describe('default: the session’s title') }),
    example: { session: 's1', topic: 'What would you automate last?' },
    ...staff,
    session: sessionId,
    decide: decide.open,
  }),
  command({
    type: 'close-discussion',
    summary: 'Let it only be read',
    schema: session,
    example: { session: 's1' },
    ...staff,
    session: sessionId,
    decide: decide.setOpen(false),
  }),
  command({
    type: 'reopen-discussion',
    summary: 'Let it go on',
    schema: session,
    example: { session: 's1' },
    ...staff,
    session: sessionId,
    decide: decide.setOpen(true),
  }),
  command({
    type: 'post-message',
    summary: 'Say something in the discussion',
    schema: session.extend({
      text: messageText,
      name: displayName.nullable().default(null).describe('shown with it; default: anonymous'),
    }),
    example: { session: 's1', text: 'Start with the rollback.' },
    ...everybody,
    limit: perMinute,
    decide: decide.post,
  }),
  command({
    type: 'edit-message',
    summary: 'Word one’s own message anew',
    schema: message.extend({ text: messageText }),
    example: { ...one, text: 'Start with the roll-back.' },
    ...everybody,
    limit: perMinute,
    decide: decide.edit,
  }),
  command({
    type: 'withdraw-message',
    summary: 'Take one’s own message back',
    schema: message,
    example: one,
    ...everybody,
    decide: decide.withdraw,
  }),
  command({
    type: 'hide-message',
    summary: 'Do not show it',
    schema: message.extend({ reason }),
    example: { ...one, reason: 'unkind' },
    ...staff,
    session: decide.sessionOfMessage,
    decide: decide.hide,
  }),
  command({
    type: 'restore-message',
    summary: 'Show it again',
    schema: message,
    example: one,
    ...staff,
    session: decide.sessionOfMessage,
    decide: decide.restore,
  }),
  command({
    type: 'promote-message',
    summary: 'Make it a question of the session',
    schema: message,
    example: one,
    ...staff,
    session: decide.sessionOfMessage,
    decide: decide.promote,
  }),
];
