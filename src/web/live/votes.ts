/**
 * Votes as they will be: pressed at once, and held until this device's copy has reached the position of the answer. Without that a
 * button is pressed, released by the acknowledgement, and pressed again by the frame.
 */
import type { CommandAck } from '#libs/protocol';
import type { Waiting } from '../shared/outbox/stored-items.js';

export const VOTE = 'upvote-question';
export const UNVOTE = 'withdraw-upvote';
export const isVote = ({ type }: Pick<Waiting, 'type'>): boolean => type === VOTE || type === UNVOTE;

/** A copy that has not reached the position by then is believed as it is. */
export const HOLD_MS = 20_000;

export interface VoteCopy {
  readonly voted: boolean;
  readonly votes: number;
  /** Whether one's own channel, and the channel of the questions, show what an answer tells of. */
  showsMine(answered: Answered): boolean;
  showsQuestions(answered: Answered): boolean;
}

export interface Answered {
  readonly question: string;
  readonly pressed: boolean;
  readonly position: number;
  /** In which the position is counted. */
  readonly epoch: string | undefined;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export class HeldVotes {
  private answered: readonly Answered[] = [];

  settle({ type, data }: Waiting, ack: CommandAck, now: number): void {
    this.answered = this.answered.filter(({ at }) => now - at < HOLD_MS);
    if ('refusal' in ack || ack.outcome === 'no-effect' || ack.position === null) return;
    this.answered = [
      ...this.answered,
      { question: String(data.question), pressed: type === VOTE, position: ack.position, epoch: ack.epoch, at: now },
    ];
  }

  /** @param waiting votes that have no answer yet, oldest first */
  view(
    question: string,
    copy: VoteCopy,
    waiting: readonly Waiting[],
    now: number,
  ): { pressed: boolean; votes: number } {
    const answered = this.answered.filter((one) => one.question === question && now - one.at < HOLD_MS);
    const unanswered = waiting.filter(({ data }) => data.question === question).map(({ type }) => type === VOTE);
    const held = answered.filter((one) => !copy.showsMine(one)).at(-1);
    const pressed = unanswered.at(-1) ?? held?.pressed ?? copy.voted;
    const uncounted = answered.filter((one) => !copy.showsQuestions(one)).map((one) => one.pressed);
    // One that was sent before a reload may be in the copy already.
    const known = answered.length === 0 && unanswered.length === 1 && unanswered[0] === copy.voted;
    const steps = known ? [] : [...uncounted, ...unanswered];
    return { pressed, votes: steps.reduce((sum, up) => sum + (up ? 1 : -1), copy.votes) };
  }
}
