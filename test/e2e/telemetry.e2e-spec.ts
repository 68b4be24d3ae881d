/** Telemetry is there when it is asked for, and costs nobody anything when it is not answered. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { startCollector } from '../support/collector.js';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let token: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

async function start(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const service = await startProcess({ DATABASE_URL: database.url, LOG_LEVEL: 'warn', ...environment });
  await service.printed(/is ready/);
  const tokens = await createTokens(database.pool);
  token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600);
  return service;
}

describe('a running service', () => {
  let service: ServiceProcess;
  let organizer: Api;
  let metrics: string;
  const scrape = async () => (await fetch(metrics)).text();
  /** @param series without its closing brace: the exporter adds a label of its own */
  const valueIn = (text: string, series: string) => {
    const found = text.split('\n').find((line) => line.startsWith(`${series}${series.includes('{') ? ',' : '{'}`));
    return Number(found?.split(' ').at(-1));
  };
  const lines = () =>
    service
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    const port = await freePort();
    metrics = `http://127.0.0.1:${port}/metrics`;
    service = await start({ METRICS_PORT: String(port), HALLWAY_MAX_SOCKETS: '2' });
    organizer = api(() => service.url, token);
    await openDemo(organizer);
  }, 60_000);
  afterAll(() => service?.end('SIGTERM'));

  it('says that the libraries it traces were met, and has its counters from the first scrape on', async () => {
    const text = await scrape();
    for (const lib of ['http', 'pg'])
      expect([lib, valueIn(text, `telemetry_instrumented{lib="${lib}"`)]).toEqual([lib, 1]);
    for (const counter of [
      'feed_projection_fences_total',
      'feed_projection_failures_total{why="data"',
      'feed_sockets_turned_away_total{at="upgrade",class="phone"',
      'feed_sockets_slow_path',
      'feed_resume_outcomes_total{kind="refused"',
    ])
      expect([counter, valueIn(text, counter)]).toEqual([counter, 0]);
    for (const part of ['fold', 'commit'])
      expect(valueIn(text, `feed_projection_${part}_duration_count`)).toBeGreaterThan(0);
  });

  it('counts what it writes to sockets, and whom it turns away', async () => {
    const attendee = await (await createTokens(database.pool)).issue(
      { actor: 'ada', role: 'attendee', conference: 'demo' },
      600,
    );
    const common = { url: service.url, conference: 'demo', channels: ['schedule'] };
    const one = createFeedClient({ ...common, class: 'phone', getToken: () => attendee });
    const clients = [one];
    try {
      await until('the phone follows', () => one.status().state === 'live');
      clients.push(createFeedClient({ ...common, class: 'phone', getToken: () => attendee }));
      clients.push(createFeedClient({ ...common, conference: 'nowhere', class: 'desk', getToken: () => token }));
      // Without a ticket it is let in until its token is known, and that says which places are its.
      const turnedAway = async () =>
        valueIn(await scrape(), 'feed_sockets_turned_away_total{at="connect",class="phone"') > 0;
      await until('the second is turned away', turnedAway);
      expect(valueIn(await scrape(), 'feed_sent_bytes_total{class="phone"')).toBeGreaterThan(500);
    } finally {
      for (const client of clients) client.close();
    }
  }, 30_000);

  it('a line of the log names its trace; of a failed statement it says no more than needed', async () => {
    await database.pool.query('alter table public.one_time_link rename to elsewhere');
    const { status } = await organizer.post('/v1/links/a-code', {});
    await database.pool.query('alter table public.elsewhere rename to one_time_link');
    expect(status).toBe(500);
    const failed = () => lines().find(({ msg }) => msg === 'a request failed');
    await until('it is said', () => failed() !== undefined);
    expect(failed()).toMatchObject({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), span_id: expect.any(String) });
    expect(Object.keys(failed()?.err as object).sort()).toEqual(['code', 'message', 'stack', 'type']);
    expect(service.output()).not.toContain('a-code');
  });

  it('SIGUSR2 makes it talk, and again less', async () => {
    const levels = () => lines().flatMap(({ msg, now }) => (msg === 'the level of the log was switched' ? [now] : []));
    service.child.kill('SIGUSR2');
    await until('it talks', () => levels().length === 1);
    service.child.kill('SIGUSR2');
    await until('it is quiet', () => levels().length === 2);
    service.child.kill('SIGUSR2');
    await until('it talks again', () => levels().length === 3);
    expect(levels()).toEqual(['debug', 'warn', 'debug']);
    // What nobody is told at its own level.
    expect(await service.end('SIGTERM')).toBe(0);
    expect(lines().map(({ msg }) => msg)).toContain('stopping');
  }, 30_000);
});

describe('a collector', () => {
  /** @returns how long a process takes to end after it was asked to, and what it wrote */
  async function lifeWith(
    environment: Readonly<Record<string, string>>,
    meanwhile: (send: Api['send']) => Promise<void>,
  ) {
    const service = await start({ HALLWAY_TRACE_RATIO: '1', ...environment });
    const { send } = api(() => service.url, token, 'quiet');
    await meanwhile(send);
    const asked = performance.now();
    expect(await service.end('SIGTERM')).toBe(0);
    return { took: performance.now() - asked, output: service.output() };
  }

  async function twenty(send: Api['send']): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      const began = performance.now();
      await send('define-rooms', { rooms: [{ id: 'b', name: `Hall ${turn} ${performance.now()}`, order: 2 }] });
      expect(performance.now() - began).toBeLessThan(2_000);
    }
  }

  it('that refuses or never answers costs no command anything, and an end at most the 2 s that it is given', async () => {
    const without = await lifeWith({ OTEL_SDK_DISABLED: 'true' }, async (send) => {
      await send('open-conference', { title: 'Quiet', timeZone: 'Europe/Berlin' });
      await twenty(send);
    });
    const refused = await lifeWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` }, twenty);
    const deaf = await startCollector(true);
    const heedless = await lifeWith({ OTEL_EXPORTER_OTLP_ENDPOINT: deaf.url }, async (send) => {
      await twenty(send);
      await until('it has asked the collector', () => deaf.requests() > 0);
      await twenty(send); // While that waits.
    });
    await deaf.close();
    for (const { took, output } of [refused, heedless]) {
      // Half a second: what ends the process itself varies.
      expect(took - without.took).toBeLessThan(2_500);
      expect(output).not.toContain('stopping');
    }
  }, 60_000);

  it('is told of a request by its route, of a page by none of its names, and by nothing of what is not there', async () => {
    const collector = await startCollector();
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const ask = (path: string, method = 'GET') => fetch(service.url + path, { method });
    for (const path of ['/', '/screen', '/c/demo/s/s1', '/nothing/of-ours']) await (await ask(path)).text();
    await ask('/v1/links/a-code', 'POST');
    await service.end('SIGTERM');
    const named = collector.spans.map(({ name, attributes }) => [name, attributes['http.route']]);
    expect(named.filter(([name]) => /^(GET|POST)/.test(String(name)))).toEqual([
      ['GET /*file', '/*file'],
      ['GET /*file', '/*file'],
      ['GET /c/:conference/s/:session', '/c/:conference/s/:session'],
      ['GET', undefined],
      ['POST /v1/links/:code', '/v1/links/:code'],
    ]);
    expect(collector.text()).not.toMatch(/of-ours|a-code/);
    await collector.close();
  }, 30_000);
});
