/** I12, T28: one trace from the tap to the pixels, over separate processes and into a real browser. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { createFeedClient } from '#libs/feed-client';
import { createTokens, type Tokens } from '../../src/doors/tokens/tokens.js';
import { launch, needsChromium } from '../support/browser.js';
import { type Collector, type ExportedSpan, orphansOf, startCollector } from '../support/collector.js';
import { kafkaMissing, startTestKafka, type TestKafka } from '../support/kafka.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = needsChromium() ? describe : describe.skip;
const withoutKafka = kafkaMissing();
/** From the door to the glass. */
const ROAD = ['command', 'append', 'project', 'tick', 'frame', 'shown'];

suite('the trace of an event', () => {
  let kafka: TestKafka | undefined;
  let database: TestDatabase;
  let collector: Collector;
  let projector: ServiceProcess;
  let gateway: ServiceProcess;
  let browser: Browser;
  let tokens: Tokens;
  let organizer: Api;

  const environment = (role: string, over: object = {}) => ({
    DATABASE_URL: database.url,
    ROLE: role,
    LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    HALLWAY_TRACE_RATIO: '1',
    HALLWAY_PRODUCERS: '{"venue":["*"]}',
    ...(kafka ? { KAFKA_BROKERS: kafka.brokers } : {}),
    ...over,
  });
  const issue = (actor: string, role: 'organizer' | 'screen' | 'attendee') =>
    tokens.issue({ actor, role, conference: role === 'organizer' ? '*' : 'demo' }, 3_600);
  const inTrace = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
  const commandTraces = (type: string) =>
    collector.spans.filter((span) => span.name === 'command' && span.attributes['hallway.command'] === type);

  /** Does it until all of the road is in one trace: a wall tells of one frame a second, so another's may have been its sample. */
  async function roadOf(act: () => Promise<string>): Promise<readonly ExportedSpan[]> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const traceId = await act();
      const whole = () => ROAD.every((name) => inTrace(traceId).some((span) => span.name === name));
      const found = await until('the road is whole', whole, 8_000).catch(() => null);
      if (found !== null) return inTrace(traceId);
    }
    const { rows } = await database.pool.query('select topic, reason from dead_letter');
    const seen = collector.spans.map(({ name, attributes }) => [name, attributes]);
    throw new Error(`no whole trace; dead letters ${JSON.stringify(rows)}, spans ${JSON.stringify(seen.slice(-20))}`);
  }

  const parentOf = (spans: readonly ExportedSpan[], name: string) => {
    const span = spans.find((one) => one.name === name);
    return spans.find(({ spanId }) => spanId === span?.parentSpanId)?.name;
  };

  beforeAll(async () => {
    collector = await startCollector();
    database = await createTestDatabase();
    if (!withoutKafka) {
      kafka = await startTestKafka();
      const { status, stderr } = spawnSync(process.execPath, ['dist/src/cli/main.js', 'topics'], {
        env: { PATH: process.env.PATH ?? '', ...environment('all') },
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
    }
    projector = await startProcess(environment('projector'));
    await until(
      'the projector serves',
      async () => (await fetch(`${projector.url}/readyz`).catch(() => undefined))?.ok ?? false,
      30_000,
    );
    gateway = await startProcess(environment('gateway'));
    await gateway.printed(/is ready/);
    tokens = await createTokens(database.pool);
    organizer = api(() => gateway.url, await issue('olga', 'organizer'));
    await openDemo(organizer);
    await organizer.send('open-questions', { session: 's1', mode: 'open' });
    await organizer.send('start-session', { session: 's1' });
    browser = await launch();
    const page = await browser.newPage();
    await page.goto(`${gateway.url}/screen?c=demo&room=a#token=${await issue('wall', 'screen')}`);
    await until(
      'the wall is live',
      async () => (await page.getByTestId('freshness').getAttribute('data-state')) === 'live',
    );
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([gateway?.end('SIGTERM'), projector?.end('SIGTERM')]);
    await kafka?.remove();
    await database?.drop();
    await collector?.close();
  }, 60_000);

  it('I12: an HTTP command leads through append, projection, tick and frame to the glass, no span an orphan', async () => {
    const spans = await roadOf(async () => {
      const before = commandTraces('ask-question').length;
      await organizer.send('ask-question', { session: 's1', text: 'Where does the time go?' });
      await until('its span is there', () => commandTraces('ask-question').length > before);
      return commandTraces('ask-question').at(-1)?.traceId ?? '';
    });
    expect(orphansOf(spans, collector.spans)).toEqual([]);
    expect(spans.find(({ parentSpanId }) => !parentSpanId)?.name).toMatch(/POST/);
    expect(parentOf(spans, 'append')).toBe('command');
    expect(parentOf(spans, 'project')).toBe('append');
    expect(parentOf(spans, 'shown')).toBe('append');
    expect(parentOf(spans, 'frame')).toBe('tick');
    // No statement of the transaction is a span of its own.
    expect(spans.filter(({ role }) => role === 'projector').map(({ name }) => name)).toEqual(['project']);
    mkdirSync('test/artifacts', { recursive: true });
    writeFileSync('test/artifacts/trace.json', JSON.stringify(spans, null, 1));
  }, 60_000);

  it('I12: a command over a socket does, in a trace of its own', async () => {
    const token = await issue('ada', 'attendee');
    const phone = createFeedClient({ url: gateway.url, conference: 'demo', class: 'phone', getToken: () => token });
    try {
      const spans = await roadOf(async () => {
        const before = commandTraces('ask-question').length;
        const answer = await phone.command('ask-question', { session: 's1', text: 'And from a phone?' });
        expect(answer).toMatchObject({ outcome: 'applied' });
        await until('its span is there', () => commandTraces('ask-question').length > before);
        return commandTraces('ask-question').at(-1)?.traceId ?? '';
      });
      expect(orphansOf(spans, collector.spans)).toEqual([]);
      expect(spans.find(({ parentSpanId }) => !parentSpanId)?.name).toBe('command');
    } finally {
      phone.close();
    }
  }, 60_000);

  (withoutKafka ? describe.skip : describe)('by way of Kafka', () => {
    const produce = (input: string, traceparent: string) => {
      const header = `traceparent=${traceparent}`;
      const words = ['-P', '-b', kafka?.brokers ?? '', '-t', 'conference.intake', '-k', 'demo', '-H', header];
      const { status, stderr } = spawnSync('kcat', words, { input, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    };

    it('I12: an event of another program goes on in the trace that its record names', async () => {
      const spanId = randomBytes(8).toString('hex');
      let count = 0;
      const spans = await roadOf(async () => {
        const traceId = randomBytes(16).toString('hex');
        const event = { specversion: '1.0', id: `t${++count}`, source: 'venue', type: 'question-asked' };
        const data = { session: 's1', text: `From another program ${count}?` };
        produce(JSON.stringify({ ...event, data }), `00-${traceId}-${spanId}-01`);
        return traceId;
      });
      expect(orphansOf(spans, collector.spans, [spanId])).toEqual([]);
      expect(spans.find(({ name }) => name === 'command')?.parentSpanId).toBe(spanId);
    }, 90_000);

    it('I4: what cannot be taken is a dead letter in its producer’s trace, sampled there or not', async () => {
      const traceId = randomBytes(16).toString('hex');
      produce('no event at all', `00-${traceId}-${randomBytes(8).toString('hex')}-00`);
      await until('its span is there', () => inTrace(traceId).length > 0, 30_000);
      expect(inTrace(traceId).map(({ name, attributes }) => [name, attributes['hallway.outcome']])).toEqual([
        ['dead letter', '200'],
      ]);
    }, 60_000);
  });

  it('nothing that is exported says what was asked, by whom, or by which token or code', async () => {
    const [token, secret] = [await issue('ada', 'attendee'), 'A word that only Ada knows'];
    const code = await tokens.createLink({ actor: 'mona', role: 'organizer', conference: 'demo' }, 60);
    const redeemed = await organizer.post(`/v1/links/${code}?code=${code}`, {});
    expect(redeemed.status).toBe(200);
    const phone = createFeedClient({
      url: gateway.url,
      conference: 'demo',
      class: 'phone',
      channels: ['me/ada'],
      getToken: () => token,
    });
    try {
      await until('her channel is there', () => phone.status().state === 'live');
      const { outcome } = (await phone.command('ask-question', { session: 's1', text: secret })) as { outcome: string };
      expect(outcome).toBe('applied');
      await fetch(`${gateway.url}/v1/conferences/demo/channels/me/ada`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const own = (name: string) =>
        collector.spans.some((span) => span.name === name && span.attributes['hallway.channel'] === 'me/*');
      await until('a frame of hers is told', () => own('frame'));
      const routes = () => collector.spans.map(({ attributes }) => attributes['http.route']);
      await until('the requests are told', () => routes().includes('/v1/conferences/:conference/channels/*channel'));
      expect(routes()).toContain('/v1/links/:code');
    } finally {
      phone.close();
    }
    await until('metrics are exported', () => collector.text().includes('resourceMetrics'), 20_000);
    for (const word of [secret, code, token, 'me/ada', 'Where does the time go'])
      expect([word, collector.text().includes(word)]).toEqual([word, false]);
  }, 60_000);
});
