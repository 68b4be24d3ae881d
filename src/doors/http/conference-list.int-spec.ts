import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDemo, until } from '../../../test/support/process.js';
import { type Running, startRunning } from '../../../test/support/running.js';

describe('the list of conferences', () => {
  let running: Running;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  const list = async () => {
    const response = await fetch(`${running.service.url}/v1/conferences`);
    return (await response.json()) as {
      readonly conferences: readonly { readonly id: string; readonly title: string }[];
    };
  };

  it('case V25: names every conference with its title, loads none, and a hundred visitors are one statement a second', async () => {
    // A second process of the service has loaded nothing yet.
    const other = await running.another('v1');
    try {
      const ask = async () => (await fetch(`${other.url}/v1/conferences`)).json();
      const answers = await Promise.all(Array.from({ length: 100 }, ask));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toEqual({ conferences: [{ id: 'demo', title: expect.any(String) }] });
      expect(other.feed.stats()).toMatchObject({ loads: 0, loaded: 0 });
    } finally {
      await other.stop();
    }
  }, 60_000);

  it('case V25: a title that was amended is in the list within a second or so', async () => {
    await running.organizer.send('amend-conference', { title: 'Another name', timeZone: 'Europe/Berlin' });
    await until('the list has the new title', async () => (await list()).conferences[0]?.title === 'Another name');
  });
});
