import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { takeLease } from '#libs/postgres';
import { until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { silent } from '../../test/support/silent.js';
import { type Demo, type DemoPorts, startDemo } from './demo.js';
import { play } from './player.js';
import { scriptOf } from './script.js';

const HOUR_MS = 3_600_000;

describe('which demo an installation has when it starts', () => {
  let running: Running;
  const demos: Demo[] = [];

  const ports = (over: Partial<DemoPorts> = {}): DemoPorts => ({
    takeLease: () => takeLease(running.service.store.pool, 'demo'),
    handle: running.service.handle,
    readLive: running.service.readLive,
    feed: running.service.feed,
    logger: silent,
    ...over,
  });
  const start = async (over?: Partial<DemoPorts>) => {
    const demo = await startDemo(ports(over));
    if (demo) demos.push(demo);
    return demo;
  };
  const startOfFirst = async () => {
    const { body } = await running.organizer.get('/v1/conferences/demo/channels/schedule');
    const found = JSON.stringify(body).match(/"id":"rollout".*?"planned":\{"start":"([^"]+)"/);
    return Date.parse(found?.[1] ?? '');
  };

  beforeEach(async () => {
    running = await startRunning();
  }, 60_000);
  afterEach(async () => {
    for (const demo of demos.splice(0)) await demo.player.stop();
    await running?.stop();
  });

  it('none yet: one opens; after a restart it goes on where it was, not at another time', async () => {
    const first = await start();
    expect(first).toMatchObject({ conference: 'demo', joinCode: expect.stringMatching(/^\w{6}$/) });
    await until('it is planned', async () => Number.isFinite(await startOfFirst()));
    const begun = await startOfFirst();
    await first?.player.stop();
    const second = await start();
    expect(second).toMatchObject({ conference: 'demo', joinCode: first?.joinCode });
    expect(await startOfFirst()).toBe(begun);
  }, 30_000);

  it('stopped while it was being opened: it is opened to the end', async () => {
    for (const { by, message } of scriptOf('demo', Date.now() - 24 * HOUR_MS).slice(0, 2))
      expect(await running.service.handle(by, 'demo', message)).not.toHaveProperty('refusal');
    expect(await start()).toMatchObject({ conference: 'demo' });
  }, 30_000);

  it('a gateway that is loading is asked again: "not now" does not mean "none"', async () => {
    await (await start())?.player.stop();
    const { feed } = running.service;
    let busy = 0;
    const demo = await start({
      feed: {
        conferences: () => feed.conferences(),
        open: (conference) => (busy++ < 2 ? Promise.resolve('busy') : feed.open(conference)),
      },
    });
    expect(demo).toMatchObject({ conference: 'demo' });
  }, 30_000);

  it('over, and nobody has taken over: a fresh one of another day', async () => {
    const { ended } = play({ ...ports(), conference: 'demo', beginning: Date.now() - 24 * HOUR_MS });
    expect(await ended).toBe('over');
    expect(await start()).toMatchObject({ conference: 'demo-2' });
  }, 60_000);

  it('taken over: none, and nothing is written into it any more', async () => {
    await (await start())?.player.stop();
    await running.organizer.send('end-session', { session: 'rollout' });
    expect(await start()).toBeUndefined();
  }, 30_000);

  it('a conference of somebody else, whatever its name: none', async () => {
    await running.organizer.send('open-conference', { title: 'Mine', timeZone: 'Europe/Berlin' });
    expect(await start()).toBeUndefined();
  }, 30_000);

  it('a demo that does not open holds up no start of the service', async () => {
    expect(await start({ takeLease: async () => undefined, openWithinMs: 200 })).toBeUndefined();
  }, 30_000);
});
