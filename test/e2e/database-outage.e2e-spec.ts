/** T13: the database is away for 30 s while the log goes on. What was accepted stays, nothing is set aside as bad, and it goes on by itself. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens, type Tokens } from '../../src/doors/tokens/tokens.js';
import { crowd } from '../support/crowd.js';
import { javaTool, kafkaMissing, startTestKafka, type TestKafka } from '../support/kafka.js';
import { api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = kafkaMissing() ? describe.skip : describe;
const QUESTIONS = 'session/s1/questions';
const OUTAGE_MS = 30_000;

suite('an outage of the database', () => {
  let kafka: TestKafka;
  let database: TestDatabase;
  let proxy: TcpProxy;
  let service: ServiceProcess;
  let tokens: Tokens;
  let wall: FeedClient;

  const votes = () =>
    Object.fromEntries(
      [...wall.documents(QUESTIONS)].flatMap(([key, { body }]) =>
        key.startsWith('question/') ? [[(body as { text: string }).text, (body as { votes: number }).votes]] : [],
      ),
    );
  const isLive = () => wall.status().state === 'live' && Date.now() - (wall.status().since ?? 0) < 2_000;

  beforeAll(async () => {
    [kafka, database] = await Promise.all([startTestKafka(), createTestDatabase()]);
    const url = new URL(database.url);
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    service = await startProcess({
      DATABASE_URL: url.href,
      KAFKA_BROKERS: kafka.brokers,
      HALLWAY_PRODUCERS: '{"venue":["*"]}',
      LOG_LEVEL: 'fatal',
    });
    await service.printed(/is ready/);
    tokens = await createTokens(database.pool);
    const token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600);
    const organizer = api(() => service.url, token);
    await openDemo(organizer);
    await organizer.send('open-questions', { session: 's1', mode: 'open' });
    wall = createFeedClient({
      url: service.url,
      conference: 'demo',
      class: 'screen',
      getToken: () => token,
      channels: [QUESTIONS],
    });
    await until('the wall is live', isLive);
  }, 120_000);

  afterAll(async () => {
    wall?.close();
    await service?.end('SIGTERM');
    await proxy?.close();
    await kafka?.remove();
    await database?.drop();
  }, 60_000);

  it('T13: people are told to try again, the wall grows old and says so, a producer’s events wait; then all of it is there, once', async () => {
    const asking = crowd(() => service.url, tokens, 'outage');
    await until('people ask', () => asking.accepted.size >= 3);
    proxy.cut();
    const down = performance.now();
    const data = { session: 's1', text: 'From a producer meanwhile' };
    const event = { specversion: '1.0', id: randomUUID(), source: 'venue', type: 'question-asked', data };
    const args = ['--bootstrap-server', kafka.brokers, '--topic', 'conference.intake'];
    const keyed = ['--reader-property', 'parse.key=true'];
    await javaTool('ConsoleProducer', [...args, ...keyed], `demo\t${JSON.stringify(event)}\n`);
    await until('the wall says that it is old', () => wall.status().state !== 'live', OUTAGE_MS);
    await until('people are told to try again', () => asking.codes.size > 0, OUTAGE_MS);
    await pass(Math.max(0, OUTAGE_MS - (performance.now() - down))); // The length of the outage is what is tried.
    expect(service.child.exitCode).toBeNull();
    proxy.heal();
    const back = await until('the wall is live again by itself', isLive, 10_000);
    const before = asking.accepted.size;
    await until('people go on', () => asking.accepted.size > before + 2, 10_000);
    await asking.end();
    const expected = { ...Object.fromEntries(asking.accepted), [data.text]: 0 };
    const sorted = (tally: object) => JSON.stringify(Object.entries(tally).sort());
    await until('all that was accepted is there', () => sorted(votes()) === sorted(expected), 10_000).catch(
      () => undefined,
    );
    expect(votes()).toEqual(expected);
    expect([...asking.codes].filter((code) => code >= 105)).toEqual([]);
    const { rows } = await database.pool.query('select reason from dead_letter');
    expect(rows).toEqual([]);
    process.stdout.write(`a database away for 30 s: live again after ${Math.round(back)} ms\n`);
  }, 120_000);
});
