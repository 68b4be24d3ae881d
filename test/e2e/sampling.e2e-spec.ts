/** What of the roads is exported when not all are: nothing half, and whatever was refused or put aside. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { partitionOf } from '#libs/event-log';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { type Collector, orphansOf, startCollector } from '../support/collector.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openTestLog } from '../support/test-log.js';

/** Of somebody who would like to be traced. */
const STRANGER = { traceId: '5'.repeat(32), spanId: '6'.repeat(16) };
const PRODUCER = { traceId: '7'.repeat(32), spanId: '8'.repeat(16) };
const textOf = ({ traceId, spanId }: typeof STRANGER, flags: string) => `00-${traceId}-${spanId}-${flags}`;
const COMMANDS = 100;

describe.each([0, 0.1])('at a ratio of %d', (ratio) => {
  let database: TestDatabase;
  let collector: Collector;
  let service: ServiceProcess;
  let organizer: Api;
  let desk: FeedClient;
  let issue: (actor: string, role: 'organizer' | 'attendee' | 'producer') => Promise<string>;
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  const outcomes = (name: string) => named(name).map(({ attributes }) => attributes['hallway.outcome']);

  async function request(route: string, token: string, body: object, traceparent = textOf(STRANGER, '01')) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, traceparent };
    const type = route.endsWith('/events') ? { 'content-type': 'application/cloudevents+json' } : {};
    const sent = { method: 'POST', headers: { ...headers, ...type }, body: JSON.stringify(body) };
    return (await fetch(`${service.url}/v1/conferences/demo/${route}`, sent)).status;
  }

  beforeAll(async () => {
    collector = await startCollector();
    database = await createTestDatabase();
    service = await startProcess({
      DATABASE_URL: database.url,
      LOG_LEVEL: 'fatal',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      HALLWAY_TRACE_RATIO: String(ratio),
      HALLWAY_PRODUCERS: '{"venue":["*"]}',
    });
    await service.printed(/is ready/);
    const tokens = await createTokens(database.pool);
    issue = (actor, role) => tokens.issue({ actor, role, conference: role === 'organizer' ? '*' : 'demo' }, 3_600);
    const token = await issue('olga', 'organizer');
    organizer = api(() => service.url, token);
    await openDemo(organizer);
    const channels = ['schedule', 'updates'];
    desk = createFeedClient({ url: service.url, conference: 'demo', class: 'desk', channels, getToken: () => token });
    await until('the desk follows', () => desk.status().state === 'live');
  }, 60_000);

  afterAll(async () => {
    desk?.close();
    await service?.end('SIGTERM');
    await database?.drop();
    await collector?.close();
  });

  it('what is done goes on, and a stranger’s wish to be traced is none', async () => {
    const token = await issue('olga', 'organizer');
    const statuses = new Set<number>();
    for (let n = 0; n < COMMANDS; n += 10)
      for (const status of await Promise.all(
        Array.from({ length: 10 }, (_, more) => {
          const data = { rooms: [{ id: 'b', name: `Hall ${n + more}`, order: 2 }] };
          return request('commands', token, { id: `r${n + more}`, type: 'define-rooms', data });
        }),
      ))
        statuses.add(status);
    expect([...statuses]).toEqual([200]);
    const hall = () => JSON.stringify([...desk.documents('schedule').values()]);
    await until('the desk has seen it', () => hall().includes(`Hall ${COMMANDS - 1}`));
    // Nor is his word that he has seen something.
    const auth = { protocol: 1, conference: 'demo', class: 'desk', token };
    const socket = io(service.url, { transports: ['websocket'], auth, query: { class: 'desk' } });
    const written = new Promise<{ to: number }>((resolve) => socket.once('frame', resolve));
    await socket.emitWithAck('subscribe', { channels: { schedule: null } });
    const shown = { channel: 'schedule', to: (await written).to, appendedAt: Date.now(), took: 1 };
    expect(await socket.emitWithAck('shown', { ...shown, traceparent: textOf(STRANGER, '01') })).toEqual({ ok: true });
    socket.disconnect();
  }, 60_000);

  it('each refusal is told, by whichever door and at whichever step, and so is what the log cannot fold', async () => {
    const [ada, venue] = [await issue('ada', 'attendee'), await issue('venue', 'producer')];
    const close = { id: 'x', type: 'close-conference', data: {} };
    expect(await request('commands', ada, close)).toBe(403);
    expect(await request('commands', 'no-token', close)).toBe(401);
    const event = { specversion: '1.0', id: 'e1', source: 'venue', type: 'nothing-known', data: {} };
    expect(await request('events', venue, event)).toBe(422);
    // Read as a command and refused by a rule: in the producer's trace, which was not sampled.
    const asked = { ...event, type: 'question-asked', data: { session: 'nowhere', text: 'Why?' } };
    expect(await request('events', venue, asked, textOf(PRODUCER, '00'))).toBe(409);
    const phone = createFeedClient({ url: service.url, conference: 'demo', class: 'phone', getToken: () => ada });
    expect(await phone.command('close-conference', {})).toMatchObject({ refusal: { code: 302 } });
    phone.close();
    const log = await openTestLog(database);
    await log.append('demo', [{ headers: new Map(), value: Buffer.from('no envelope') }]);
    await until('the dead letter is told', () => named('project').filter(isKept).length === 1, 20_000);
    const [known] = (await log.read(partitionOf('demo', log.partitions), 0n, 1)).records;
    const headers = new Map(known?.headers);
    headers.set('ce_type', Buffer.from('never-heard-of')).set('ce_commandid', Buffer.from(randomUUID()));
    await log.append('demo', [
      { headers: headers.set('traceparent', Buffer.from(textOf(PRODUCER, '00'))), value: known?.value ?? null },
    ]);
    await log.close();
    await until('the parked event is told', () => named('project').filter(isKept).length === 2, 20_000);
    await until('the requests are', () => kept('POST').length >= 4);
    expect(
      outcomes('command')
        .filter((outcome) => outcome !== 'applied')
        .sort(),
    ).toEqual(['208', '302', '302']);
    expect(named('command').filter(({ traceId }) => traceId === PRODUCER.traceId)).toHaveLength(1);
    expect(statusesOf('POST')).toEqual([401, 403, 409, 422]);
  }, 60_000);

  const isKept = ({ attributes }: { readonly attributes: Readonly<Record<string, unknown>> }) =>
    attributes['hallway.keep'] === true;
  const kept = (begin: string) => collector.spans.filter((span) => span.name.startsWith(begin) && isKept(span));
  const statusesOf = (begin: string) =>
    kept(begin)
      .map(({ attributes }) => Number(attributes['http.response.status_code']))
      .sort();

  it('and whatever is told has its parent told or has none, and its links lead somewhere', async () => {
    desk.close();
    await service.end('SIGTERM');
    const { spans } = collector;
    expect(orphansOf(spans, spans, [STRANGER.spanId, PRODUCER.spanId])).toEqual([]);
    expect(spans.filter(({ traceId }) => traceId === STRANGER.traceId)).toEqual([]);
    // A document names the last who touched it: whether a tick is told is chance.
    const sure = ratio === 0 ? [] : ['append', 'command', 'project'];
    const names = new Set(spans.filter((span) => !isKept(span)).map(({ name }) => name));
    expect([...names].filter((name) => ratio === 0 || sure.includes(name)).sort()).toEqual(sure);
  }, 60_000);
});
