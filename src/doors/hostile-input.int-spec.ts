import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { ANSWERS, SENT } from '#libs/protocol';
import {
  almostRight,
  hostileAddress,
  hostileBody,
  hostileCommand,
  hostileHeaders,
  hostileValue,
  MARK,
} from '../../test/support/hostile.js';
import { openDemo, until } from '../../test/support/process.js';
import { rawHttp, requestHead } from '../../test/support/raw-http.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { openApi } from './http/openapi.js';

const problem = z.object({ code: z.int().min(101).max(399), detail: z.string(), title: z.string() });
const { paths } = openApi('http://hall') as { paths: Record<string, Record<string, unknown>> };
const ROUTES = [...Object.keys(paths), '/c/{conference}', '/c/{conference}/s/{session}', '/docs', '/{file}'];
const HERE = '/v1/conferences/demo';
const JSON_TYPE = ['content-type: application/json'];
const READABLE = ['audit', 'audit.csv', 'commands/{id}', 'channels/{channel}', 'older/{channel}'].map(
  (last) => `${HERE}/${last}`,
);
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'];

describe('input that means no good, at every way in of the running service', () => {
  let running: Running;
  const errors: unknown[] = [];
  const sockets = new Set<Socket>();
  let tokens: readonly string[] = [];

  beforeAll(async () => {
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (...line: unknown[]) => void errors.push(line),
    };
    running = await startRunning({
      logger,
      environment: { HALLWAY_PRODUCERS: '{"venue":["*"]}', HALLWAY_DRAIN_MS: '300' },
    });
    await openDemo(running.organizer);
    tokens = await Promise.all([
      running.token('organizer', 'olga'),
      running.token('attendee', 'ada'),
      running.token('producer', 'venue'),
      running.token('screen', 'wall'),
    ]);
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running?.stop();
  });

  it('case V29: no request to any route is answered "internal", unnumbered or with the sender’s own words, or leaves an error line', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.tuple(
            fc.constantFrom(...METHODS),
            hostileAddress(ROUTES),
            hostileHeaders,
            hostileBody,
            fc.constantFrom(...tokens, 'x'),
          ),
          // An organizer's, with everything in its place but one thing.
          almostRight.map(
            (command) => ['POST', `${HERE}/commands`, JSON_TYPE, JSON.stringify(command), tokens[0]] as const,
          ),
          hostileAddress(READABLE).map((address) => ['GET', address, [], '', tokens[0]] as const),
        ),
        async ([method, address, headers, body, token]) => {
          const bytes = Buffer.from(body);
          const head = requestHead(method, address, [
            `authorization: Bearer ${token}`,
            `content-length: ${bytes.length}`,
            'connection: close',
            ...headers,
          ]);
          const answer = await rawHttp(running.service.url, (socket) => {
            socket.write(head, 'latin1');
            socket.write(bytes);
          });
          expect(answer.status === 503 || answer.status < 500).toBe(true);
          expect(answer.status < 400 || method === 'HEAD' || problem.safeParse(JSON.parse(answer.body)).success).toBe(
            true,
          );
          expect(answer.status < 400 || !answer.body.includes(MARK)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(errors).toEqual([]);
    expect((await running.organizer.send('mark-room-full', { room: 'b' })).outcome).toBe('applied');
  }, 180_000);

  /** What the service has sent, by name. */
  const kinds = new Set<string>();
  const answers = new Map<string, z.ZodType>(Object.entries(ANSWERS));
  const answerOf = (event: string) => answers.get(event) ?? ANSWERS.command;
  const connect = async (auth: object, url = running.service.url): Promise<{ socket: Socket; broken: unknown[] }> => {
    const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, auth });
    sockets.add(socket);
    const broken: unknown[] = [];
    socket.onAny((event: string, body: unknown) => {
      kinds.add(event);
      const schema = new Map<string, z.ZodType>(Object.entries(SENT)).get(event);
      const issues = schema ? schema.safeParse(body).error?.issues : 'a message of no known name';
      if (issues) broken.push({ event, issues, body });
    });
    await new Promise((resolve) => socket.once('connect', () => resolve(0)).once('connect_error', resolve));
    return { socket, broken };
  };
  const auth = (over: object = {}) => ({ protocol: 1, conference: 'demo', class: 'desk', token: tokens[0], ...over });

  it('case V29, case V28: every message of a socket, however hostile, is answered by number, and each answer is valid by its schema', async () => {
    let { socket, broken } = await connect(auth());
    const invalid: unknown[] = [];
    let sent = 0;
    const message = fc.oneof(
      fc.tuple(fc.constant('command'), hostileCommand),
      fc.tuple(fc.constant('command'), almostRight),
      fc.tuple(fc.constantFrom('subscribe', 'unsubscribe'), fc.record({ channels: hostileValue })),
      fc.tuple(fc.constantFrom(...Object.keys(ANSWERS), 'nothing-of-ours', '__proto__'), hostileValue),
      fc.tuple(fc.constant('command'), fc.constant({ id: '1', type: 'x', data: Buffer.from('bytes') })),
    );
    await fc.assert(
      fc.asyncProperty(message, async ([event, body]) => {
        // A socket may send so many a second: the next one takes over before its bucket is empty.
        if (++sent % 80 === 0 || !socket.connected) {
          socket.disconnect();
          invalid.push(...broken);
          ({ socket, broken } = await connect(auth()));
        }
        const text = JSON.stringify(body) ?? '';
        if (text.length > 90_000) return;
        const answer: unknown = await socket.timeout(10_000).emitWithAck(event, body);
        expect(answerOf(event).safeParse(answer).error?.issues).toBeUndefined();
        expect(answer).not.toMatchObject({ refusal: { code: 100 } });
        expect(JSON.stringify(answer)).not.toContain(`${MARK}`);
      }),
      { numRuns: 1_000 },
    );
    expect([...invalid, ...broken]).toEqual([]);
    expect(errors).toEqual([]);
  }, 180_000);

  it('case V29: no handshake, however hostile, is more than refused by number', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          { conference: hostileValue, class: hostileValue, token: hostileValue, channels: hostileValue },
          { requiredKeys: [] },
        ),
        async (over) => {
          if (JSON.stringify(over).length > 50_000) return;
          const { socket, broken } = await connect(auth(over));
          socket.disconnect();
          expect(broken).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    expect(errors).toEqual([]);
  }, 120_000);

  it('case V28: each kind of message of a live session is valid by its schema: frames, beacons of an empty channel, goodbyes', async () => {
    const other = await running.another('v1');
    kinds.clear();
    const begin = (over: object) => connect(auth(over), other.url);
    const sent = (kind: string) => until(`a ${kind} was sent`, () => kinds.has(kind), 20_000);
    const all = Object.fromEntries(
      ['schedule', 'updates', 'session/s2/discussion', 'me/olga'].map((name) => [name, null]),
    );
    const live = await begin({ channels: all });
    await sent('beacon');
    await running.organizer.send('post-update', { texts: { en: 'Lunch' } });
    await running.organizer.send('open-discussion', { session: 's2' });
    await sent('frame');
    for (const channels of [{ schedule: null, _access: null, nowhere: null }, { updates: ['e', 1] }]) {
      const answer: unknown = await live.socket.timeout(5_000).emitWithAck('subscribe', { channels });
      expect(ANSWERS.subscribe.safeParse(answer).error?.issues).toBeUndefined();
    }
    const expiring = await begin({ token: await running.token('attendee', 'bo', 2) });
    await sent('refused');
    await Promise.all([sent('drain'), other.stop()]);
    expect([live.broken, expiring.broken]).toEqual([[], []]);
    expect([...kinds].sort()).toEqual(Object.keys(SENT).sort());
  }, 60_000);
});
