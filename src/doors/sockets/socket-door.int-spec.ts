import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { io, type Socket } from 'socket.io-client';
import { openDemo, until } from '../../../test/support/process.js';
import { type Running, startRunning } from '../../../test/support/running.js';

describe('the socket door', () => {
  let running: Running;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running.stop();
  });

  const open = (auth: object, cls = 'desk') => {
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth,
      query: { class: cls },
    });
    sockets.add(socket);
    return socket;
  };
  const handshake = (token: string, over: object = {}) => ({
    protocol: 1,
    conference: 'demo',
    class: 'desk',
    token,
    ...over,
  });
  const refusedWith = (socket: Socket) =>
    new Promise<number>((resolve) =>
      socket.once('connect_error', (error) => resolve((error as { data?: { code: number } }).data?.code ?? 0)),
    );
  const connected = (socket: Socket) =>
    new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));

  it('[H1] refuses in CONNECT, with a number, who has no valid token, the wrong conference, or another protocol', async () => {
    const good = await running.token('attendee', 'ada');
    const elsewhere = await running.service.tokens.issue({ actor: 'x', role: 'attendee', conference: 'other' }, 60);
    const expired = await running.service.tokens.issue({ actor: 'x', role: 'attendee', conference: 'demo' }, -10);
    const cases: [object, number][] = [
      [handshake('nonsense'), 300],
      [handshake(expired), 301],
      [handshake(elsewhere), 303],
      [handshake(good, { protocol: 99 }), 207],
      [handshake(good, { conference: 'nowhere' }), 303],
      [handshake(await running.token('organizer'), { conference: 'nowhere' }), 202],
      [handshake(good, { class: 'king' }), 201],
      [handshake(await running.token('moderator', 'nobody')), 304],
      [{}, 207],
    ];
    for (const [auth, code] of cases) expect([auth, await refusedWith(open(auth))]).toEqual([auth, code]);
  });

  it('[H1] the refusal is the last that is heard of a connection', async () => {
    const raw = new WebSocket(`${running.service.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const heard: string[] = [];
    raw.addEventListener('message', ({ data }) => {
      heard.push(String(data));
      if (heard.length === 1) raw.send(`40${JSON.stringify(handshake('nonsense'))}`);
    });
    const begun = performance.now();
    await new Promise((resolve) => raw.addEventListener('close', resolve));
    expect(heard).toEqual([expect.stringMatching(/^0/), expect.stringMatching(/^44.*"code":300/)]);
    // Of its own accord socket.io would close it after `connectTimeout`.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('I11: whoever tries another transport than websockets reads a numbered refusal', async () => {
    const response = await fetch(`${running.service.url}/socket.io/?EIO=4&transport=polling`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 207 });
  });

  it('[S1] answers per channel: accepted, or why not; internal channels do not exist', async () => {
    const socket = open(handshake(await running.token('attendee', 'ada')));
    await connected(socket);
    const ack = await socket.emitWithAck('subscribe', {
      channels: {
        schedule: null,
        'me/ada': null,
        'me/bob': null,
        _access: null,
        'session/s1/desk': null,
        nonsense: null,
      },
    });
    expect(ack).toMatchObject({
      schedule: 'ok',
      'me/ada': 'ok',
      'me/bob': { refusal: { code: 302 } },
      _access: { refusal: { code: 203 } },
      'session/s1/desk': { refusal: { code: 302 } },
      nonsense: { refusal: { code: 203 } },
    });
  });

  it('[H4] channels of the handshake: answered once, then their frames, then a beacon; what is not valid there leaves the connection', async () => {
    const heard: [event: string, said: unknown][] = [];
    const socket = open(
      handshake(await running.token('attendee', 'ada'), { channels: { schedule: null, _access: null, updates: null } }),
    );
    socket.onAny((event: string, said: unknown) => heard.push([event, said]));
    await until('there is a beacon', () => heard.some(([event]) => event === 'beacon'));
    expect(heard[0]).toEqual(['ticket', { ticket: expect.any(String) }]);
    expect(heard.slice(1, 5)).toMatchObject([
      ['subscribed', { schedule: 'ok', updates: 'ok', _access: { refusal: { code: 203 } } }],
      ['frame', { channel: 'schedule', from: null }],
      ['frame', { channel: 'updates', from: null }],
      ['beacon', { channels: { schedule: expect.any(Number), updates: expect.any(Number) } }],
    ]);
    const answers = new Set<unknown>();
    for (const channels of [{ 'no such name': null }, { schedule: 'nonsense' }, 'nonsense', null, []]) {
      const other = open(handshake(await running.token('attendee', 'ada'), { channels }));
      const { refusal } = await new Promise<{ refusal: { code: number } }>((resolve) =>
        other.once('subscribed', resolve),
      );
      answers.add(refusal.code);
      expect(await other.emitWithAck('subscribe', { channels: { schedule: null } })).toEqual({ schedule: 'ok' });
    }
    expect([...answers]).toEqual([201]);
  });

  it('[F7] a client says what it has shown; of what was never written to it, it is refused', async () => {
    const socket = open(handshake(await running.token('screen', 'wall-7')));
    await connected(socket);
    const written = new Promise<{ to: number }>((resolve) => socket.once('frame', resolve));
    await socket.emitWithAck('subscribe', { channels: { schedule: null } });
    const { to } = await written;
    const sample = { channel: 'schedule', to, appendedAt: Date.now() - 40, took: 16 };
    expect(await socket.emitWithAck('shown', sample)).toEqual({ ok: true });
    // What was just written took the fast way: the libraries below are as it expects.
    expect(running.service.socketStats()).toMatchObject({ slowPath: null });
    for (const nonsense of [
      { ...sample, to: to + 1 },
      { ...sample, channel: 'session/s1' },
      { ...sample, took: -1 },
      { ...sample, took: 1e9 },
      { ...sample, traceparent: 'mine' },
      { ...sample, appendedAt: 'now' },
    ])
      expect([nonsense, await socket.emitWithAck('shown', nonsense)]).toMatchObject([
        nonsense,
        { refusal: { code: 201 } },
      ]);
  });

  it('[X1] malformed, deep, oversized and binary input is refused by number or closed, and the process goes on', async () => {
    const token = await running.token('attendee', 'xaver');
    const socket = open(handshake(token));
    await connected(socket);
    let deep: object = {};
    for (let level = 0; level < 40; level++) deep = { deep };
    for (const [event, message, code] of [
      ['subscribe', 7, 200],
      ['subscribe', null, 200],
      ['subscribe', { channels: 'all' }, 201],
      ['subscribe', { channels: { schedule: ['x'.repeat(100), 1] } }, 201],
      ['command', deep, 206],
      ['command', { id: '1', type: 'rule-the-world', data: {} }, 204],
      ['command', { id: '1', type: 'ask-question', data: { session: 's1', text: '' } }, 201],
    ] as const) {
      expect([event, await socket.emitWithAck(event, message)]).toMatchObject([event, { refusal: { code } }]);
    }
    for (const sent of [[], [7], [{}, 'more']])
      expect(await socket.emitWithAck('nothing-of-ours', ...sent)).toMatchObject({ refusal: { code: 200 } });
    socket.emit('subscribe', { channels: {} }); // Without an ack.
    socket.emit('nothing-of-ours', Buffer.alloc(10));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.emit('command', { id: '1', type: 'x', data: { text: 'x'.repeat(200_000) } });
    await closed;
    await rawGarbage();
    expect((await running.organizer.get('/healthz')).status).toBe(200);
  });

  /** Below socket.io: bytes that are no frames, and frames that are no packets. */
  async function rawGarbage(): Promise<void> {
    const { port } = new URL(running.service.url);
    for (const garbage of [
      Buffer.from('GET / HTTP/9.9\r\n\r\n'),
      Buffer.alloc(2_000, 0xff),
      Buffer.from([0x81, 0xfe, 0xff, 0xff]),
    ]) {
      await new Promise<void>((resolve) => {
        const raw = connect(Number(port), '127.0.0.1', () => {
          raw.write(
            'GET /socket.io/?EIO=4&transport=websocket&class=phone HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
          );
        });
        raw.once('data', () => raw.end(garbage));
        raw.on('error', () => undefined); // The server may hang up first.
        raw.once('close', () => resolve());
      });
    }
  }

  it('[C1] a revoked moderator’s live desk is closed with its number, and can do nothing more', async () => {
    await running.organizer.send('grant-moderator', { moderator: 'mo', sessions: ['s1'] });
    const socket = open(handshake(await running.token('moderator', 'mo')));
    await connected(socket);
    expect(
      await socket.emitWithAck('subscribe', { channels: { 'session/s1/desk': null, 'session/s2/desk': null } }),
    ).toMatchObject({ 'session/s1/desk': 'ok', 'session/s2/desk': { refusal: { code: 302 } } });
    const refused = new Promise<{ code: number }>((resolve) => socket.once('refused', resolve));
    await running.organizer.send('revoke-moderator', { moderator: 'mo' });
    expect((await refused).code).toBe(304);
    await until('it is closed', () => !socket.connected);
  });

  it('[H2] a token that expires closes its socket with its number', async () => {
    const socket = open(handshake(await running.token('attendee', 'soon', 2)));
    await connected(socket);
    expect(await new Promise<{ code: number }>((resolve) => socket.once('refused', resolve))).toMatchObject({
      code: 301,
    });
  });

  it('I8: 3,000 join in 10 s from one address, drop, and come back with their cursors: a desk is unharmed, and no SQL is caused by it', async () => {
    const count = 3_000;
    const tokens = await Promise.all(
      Array.from({ length: count }, (_, index) => running.token('attendee', `p${index}`)),
    );
    let frames = 0;
    const join = (cursor: unknown) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          // Paced as clients pace themselves; the door admits a few hundred a second.
          await new Promise((resolve) => setTimeout(resolve, index * 3));
          for (;;) {
            const socket = open(handshake(tokens[index] ?? '', { class: 'phone' }), 'phone');
            socket.on('frame', () => frames++);
            try {
              await connected(socket);
              await socket.emitWithAck('subscribe', { channels: { schedule: cursor } });
              return socket;
            } catch {
              sockets.delete(socket);
              await new Promise((resolve) => setTimeout(resolve, 200));
            }
          }
        }),
      );
    const joining = join(null);
    const desk = open(handshake(await running.token('organizer')));
    const deskAt = performance.now();
    await connected(desk);
    expect(await desk.emitWithAck('subscribe', { channels: { schedule: null } })).toEqual({ schedule: 'ok' });
    expect(performance.now() - deskAt).toBeLessThan(5_000);
    const first = await joining;
    await until('all have their snapshot', () => frames === count, 30_000);
    const feed = await running.service.feed.open('demo');
    if (typeof feed === 'string') throw new Error(feed);
    const cursor = [feed.feed.epoch, feed.feed.head];
    for (const socket of first) socket.disconnect();
    await running.organizer.send('delay-session', {
      session: 's2',
      expectedStart: new Date(Date.now() + 90 * 60_000).toISOString(),
    });
    const statements = watchStatements();
    const idle = await statements.during(1_000);
    frames = 0;
    const storm = statements.begin();
    await join(cursor);
    await until('all have what changed', () => frames === count, 30_000);
    const seen = storm();
    statements.restore();
    feed.release();
    // What runs by a clock of its own every few seconds, storm or not: canaries, the projector's and the versions' looks, the audit of copies.
    const clocked =
      /^notify canary_|from public\.generation where id|from projection_checkpoint where lease|as "isLiving"/;
    expect([...seen.kinds].filter((kind) => !idle.kinds.has(kind) && !clocked.test(kind))).toEqual([]);
    expect(running.service.socketStats().resumes.changes).toBeGreaterThanOrEqual(count);
  }, 150_000);
});

/** Every statement that any connection of this process sends, by its text. */
function watchStatements() {
  const original = pg.Client.prototype.query;
  let kinds = new Set<string>();
  pg.Client.prototype.query = function (this: pg.Client, ...parameters: unknown[]) {
    const [first] = parameters;
    kinds.add(typeof first === 'string' ? first : ((first as { text?: string }).text ?? ''));
    return (original as (...all: unknown[]) => unknown).apply(this, parameters);
  } as typeof original;
  const begin = () => {
    kinds = new Set();
    return () => ({ kinds });
  };
  return {
    begin,
    async during(ms: number) {
      const end = begin();
      await new Promise((resolve) => setTimeout(resolve, ms));
      return end();
    },
    restore() {
      pg.Client.prototype.query = original;
    },
  };
}
