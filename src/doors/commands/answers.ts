/** What a sender is told of a command. */
import type { NewEvent } from '#libs/event-log';
import type { ConferenceFeed } from '#libs/feed';
import type { CommandAck } from '#libs/protocol';
import { heldChannels } from '../../conference/projection-set.js';
import type { KnownOutcome } from './outcomes.js';
import type { Asked } from './read-command.js';

/** The thing that the command names, or made: what it does to another one (a question leaves the stage for it) may come first. */
export function answerOf(data: Asked['data'], events: readonly NewEvent[]): string | undefined {
  const named = new Set(Object.values(data));
  const own = events.findIndex(({ subject }) => subject !== undefined && named.has(subject));
  return own > 0 ? events[own]?.subject : undefined;
}

export const ackOf = ({ base, outcome, because, subject }: Omit<KnownOutcome, 'digest'>): CommandAck => ({
  position: base,
  outcome,
  subject,
  ...(because ? { because } : {}),
});

export const isHeld = (feed: ConferenceFeed, { stream }: NewEvent): boolean =>
  stream !== null && heldChannels(stream).some((channel) => feed.document(channel, `held/${stream}`) !== undefined);
