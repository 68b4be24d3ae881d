import { describe, expect, it } from '@jest/globals';
import { stableOrder } from './stable-order.js';

const here = (...ids: string[]) => ids.map((id) => ({ id, gone: false }));

describe('an order that does not move under the pointer', () => {
  it('follows the current order while nobody points at it', () => {
    expect(stableOrder(here('a', 'b'), ['b', 'c', 'a'], false)).toEqual(here('b', 'c', 'a'));
  });

  it('while frozen keeps places, appends what is new, and leaves the place of what is gone empty', () => {
    const frozen = stableOrder(here('a', 'b', 'c'), ['c', 'd', 'a'], true);
    expect(frozen).toEqual([
      { id: 'a', gone: false },
      { id: 'b', gone: true },
      { id: 'c', gone: false },
      { id: 'd', gone: false },
    ]);
    expect(stableOrder(frozen, ['b', 'd', 'a'], true).map(({ id, gone }) => (gone ? `-${id}` : id))).toEqual([
      'a',
      'b',
      '-c',
      'd',
    ]);
  });
});
