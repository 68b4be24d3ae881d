import { describe, expect, it } from '@jest/globals';
import { CommandTurns, DECIDED_PER_TURN } from './turns.js';

describe('turns of commands', () => {
  it('case V17: a desk’s command waits for no turn, however many votes wait for theirs', async () => {
    const turns = new CommandTurns();
    for (let vote = 0; vote < 1_000; vote++) void turns.next('attendee');
    expect(turns.next('interactive')).toBeUndefined();
  });

  it('what arrives is read between a few votes and the next few', async () => {
    const turns = new CommandTurns();
    let decided = 0;
    const votes = Array.from({ length: 5 * DECIDED_PER_TURN }, async () => {
      await turns.next('attendee');
      decided += 1;
    });
    const seen: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await new Promise(setImmediate);
      seen.push(decided);
    }
    await Promise.all(votes);
    for (const [index, count] of seen.entries()) expect(count).toBeLessThanOrEqual((index + 1) * DECIDED_PER_TURN);
  });

  it('bulk work gets its turns beside a hall that never stops voting', async () => {
    const turns = new CommandTurns();
    let isOver = false;
    const vote = (): void => void turns.next('attendee')?.then(() => !isOver && vote());
    for (let voter = 0; voter < 100; voter++) vote();
    await turns.next('bulk');
    isOver = true;
  });
});
