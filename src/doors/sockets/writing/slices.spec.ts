import { describe, expect, it } from '@jest/globals';
import { silent } from '../../../../test/support/silent.js';
import { PRIORITY, Slices } from './slices.js';

/** Busy, as writing to a socket is. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('slices', () => {
  it('case V23: long work lets the event loop have its turn; what is urgent overtakes it, and jobs of one kind take turns', async () => {
    const slices = new Slices(silent);
    const order: string[] = [];
    const turns: number[] = [];
    const items = Array.from({ length: 200 }, (_, index) => index);
    await new Promise<void>((resolve) => {
      let finished = 0;
      const done = () => {
        finished += 1;
        if (finished === 3) resolve();
      };
      const job = (name: string) => (index: number) => {
        work(0.25);
        if (index === 0 || index === 199) order.push(`${name}${index}`);
      };
      slices.run(PRIORITY.phone, items, job('a'), done);
      slices.run(PRIORITY.phone, items, job('b'), done);
      const turn = () => {
        turns.push(order.length);
        if (turns.length === 3) slices.run(PRIORITY.desk, [0], () => order.push('desk'), done);
        if (finished < 3) setImmediate(turn);
      };
      setImmediate(turn);
    });
    expect(order.slice(0, 3)).toEqual(['a0', 'b0', 'desk']);
    expect(order.slice(3)).toEqual(['a199', 'b199']);
    // 400 items of 0.25 ms, in slices of 3 ms.
    expect(turns.length).toBeGreaterThan(12);
  });

  it('what fails for one item keeps nothing from the others, and is said', async () => {
    const said: unknown[] = [];
    const slices = new Slices({ ...silent, error: (fields: object) => said.push(fields) });
    const seen: number[] = [];
    await new Promise<void>((resolve) =>
      slices.run(
        PRIORITY.screen,
        [1, 2, 3],
        (item) => {
          if (item === 2) throw new Error('two');
          seen.push(item);
        },
        resolve,
      ),
    );
    expect(seen).toEqual([1, 3]);
    expect(said).toHaveLength(1);
  });
});
