import { describe, expect, it } from '@jest/globals';
import { FailedBefore, Loads, MAX_LOADS_AT_ONCE } from './loads.js';

const never = () => new Promise<never>(() => undefined);

describe('loads', () => {
  it('case S20: loads that hang give up their places, and the others are loaded meanwhile and afterwards', async () => {
    const loads = new Loads<string>(100);
    const hanging = Array.from({ length: MAX_LOADS_AT_ONCE - 1 }, (_, index) => loads.run(`hangs ${index}`, never));
    const refused = hanging.map((load) => expect(load).rejects.toThrow('not within 100 ms'));
    expect(await loads.run('small', async () => 'loaded')).toBe('loaded');
    const last = loads.run('hangs, too', never).catch((error: Error) => error.message);
    expect(await loads.run('another', async () => 'loaded')).toBe('loaded');
    expect(await last).toBe('not within 100 ms');
    await Promise.all(refused);
    await loads.idle();
  });

  it('case S20: what failed is not tried again at once, and not by the next who asks', async () => {
    const loads = new Loads<string>();
    let tries = 0;
    const fail = async () => {
      tries += 1;
      throw new Error('too large');
    };
    await expect(loads.run('large', fail)).rejects.toThrow('too large');
    for (let turn = 0; turn < 100; turn++) await expect(loads.run('large', fail)).rejects.toBeInstanceOf(FailedBefore);
    expect(tries).toBe(1);
    expect(await loads.run('small', async () => 'loaded')).toBe('loaded');
  });

  it('I8, I9: one load for all who ask, and never more at once than there may be', async () => {
    const loads = new Loads<number>();
    let atOnce = 0;
    let most = 0;
    let count = 0;
    const load = async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return ++count;
    };
    const all = Array.from({ length: 60 }, (_, index) => loads.run(`c${index % 20}`, load));
    await Promise.all(all);
    expect({ count, most }).toEqual({ count: 20, most: MAX_LOADS_AT_ONCE });
  });
});
