import { describe, expect, it } from '@jest/globals';
import type { Waiting } from '../shared/outbox/stored-items.js';
import { type Answered, HeldVotes, HOLD_MS, UNVOTE, VOTE, type VoteCopy } from './votes.js';

const up: Waiting = { id: '1', type: VOTE, data: { question: 'q' }, at: 0 };
const down: Waiting = { id: '2', type: UNVOTE, data: { question: 'q' }, at: 1 };
/** As `FeedClient.shows` has it, of copies that are complete so far. */
const copyAt = (voted: boolean, votes: number, mineTo: number, questionsTo: number, epoch = 'e'): VoteCopy => {
  const shows = (to: number) => (at: Answered) => (at.epoch !== undefined && at.epoch !== epoch) || to >= at.position;
  return { voted, votes, showsMine: shows(mineTo), showsQuestions: shows(questionsTo) };
};
const before = copyAt(false, 5, 90, 90);

describe('a vote on a phone', () => {
  it('case V11, V44: is pressed and counted once from the press to the frames, in whichever order they come', () => {
    const votes = new HeldVotes();
    expect(votes.view('q', before, [up], 0)).toEqual({ pressed: true, votes: 6 });
    votes.settle(up, { position: 100, outcome: 'applied' }, 500);
    const mine = copyAt(true, 5, 100, 90);
    const counted = copyAt(false, 6, 90, 100);
    const both = copyAt(true, 6, 100, 101);
    for (const copy of [before, mine, counted, both])
      expect(votes.view('q', copy, [], 501)).toEqual({ pressed: true, votes: 6 });
  });

  it('case V44: pressed again before the copy came, it is as if it had not been pressed', () => {
    const votes = new HeldVotes();
    votes.settle(up, { position: 100, outcome: 'applied' }, 500);
    expect(votes.view('q', before, [down], 501)).toEqual({ pressed: false, votes: 5 });
    votes.settle(down, { position: 102, outcome: 'applied' }, 900);
    const between = copyAt(true, 6, 100, 100);
    expect(votes.view('q', between, [], 901)).toEqual({ pressed: false, votes: 5 });
    expect(votes.view('q', copyAt(false, 5, 102, 102), [], 902)).toEqual({
      pressed: false,
      votes: 5,
    });
  });

  it('a refusal and "no effect" show what the copy says; a copy that never comes is believed after the hold', () => {
    const votes = new HeldVotes();
    votes.settle(up, { refusal: { code: 208, message: 'voting is closed' } }, 0);
    votes.settle(up, { position: 50, outcome: 'no-effect' }, 0);
    expect(votes.view('q', before, [], 1)).toEqual({ pressed: false, votes: 5 });
    votes.settle(up, { position: 100, outcome: 'applied' }, 10);
    expect(votes.view('q', before, [], 11 + HOLD_MS)).toEqual({ pressed: false, votes: 5 });
  });

  it('case V10: a vote that was in the copy before a reload is not counted twice', () => {
    expect(new HeldVotes().view('q', { ...before, voted: true, votes: 6 }, [up], 0)).toEqual({
      pressed: true,
      votes: 6,
    });
  });

  it('case R2: a restore ends the hold: positions of its epoch are counted anew, and the answer’s will not come', () => {
    const votes = new HeldVotes();
    votes.settle(up, { position: 100, outcome: 'applied', epoch: 'e' }, 500);
    expect(votes.view('q', before, [], 501)).toEqual({ pressed: true, votes: 6 });
    expect(votes.view('q', copyAt(false, 5, 20, 20, 'after the restore'), [], 502)).toEqual({
      pressed: false,
      votes: 5,
    });
  });
});
