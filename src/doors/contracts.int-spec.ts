import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';
import {
  beaconSchema,
  commandAckSchema,
  frameSchema,
  PROTOCOL_VERSION,
  refusalSchema,
  subscribeAckSchema,
} from '#libs/protocol';
import { openDemo } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { capabilities } from '../conference/capabilities.js';
import { asyncApi } from './asyncapi.js';

interface Message {
  readonly examples: readonly { readonly payload: Record<string, unknown> }[];
}

const { messages } = JSON.parse(JSON.stringify(asyncApi())).components as { messages: Record<string, Message> };
/** What is only not possible now: no such thing here, a rule of the conference. Anything else would mean a wrong example. */
const POSSIBLE = new Set([208, 209]);

describe('every example of the contracts, sent to the running service', () => {
  let running: Running;
  let socket: Socket;
  const seen: { event: string; body: unknown }[] = [];

  const ask = async (event: string, message: unknown): Promise<unknown> =>
    socket.timeout(5_000).emitWithAck(event, message);
  const holds = (schema: z.ZodType, value: unknown) => expect(schema.safeParse(value).error?.issues).toBeUndefined();

  beforeAll(async () => {
    running = await startRunning({ environment: { HALLWAY_PRODUCERS: '{"venue-system":["*"]}' } });
    await openDemo(running.organizer);
    socket = io(running.service.url, {
      transports: ['websocket'],
      auth: {
        protocol: PROTOCOL_VERSION,
        conference: 'demo',
        class: 'desk',
        token: await running.token('organizer', 'olga'),
      },
    });
    socket.onAny((event: string, body: unknown) => seen.push({ event, body }));
    await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
  }, 60_000);

  afterAll(async () => {
    socket?.close();
    await running?.stop();
  });

  it('commands of the OpenAPI document', async () => {
    for (const { type, example } of capabilities.flatMap(({ commands }) => commands)) {
      const { status, body } = await running.organizer.post('/v1/conferences/demo/commands', {
        id: randomUUID(),
        type,
        data: example,
      });
      const understood = status === 200 || status === 202 || POSSIBLE.has(Number(body.code));
      expect([type, understood ? 'understood' : body]).toEqual([type, 'understood']);
      if (type === 'close-conference') await running.organizer.send('reopen-conference', {});
    }
  }, 60_000);

  it('events that are taken from outside', async () => {
    const token = await running.token('producer', 'venue-system');
    const taken = Object.entries(messages).filter(([name]) => name.startsWith('taken-'));
    expect(taken.length).toBeGreaterThan(5);
    for (const [name, { examples }] of taken) {
      const response = await fetch(`${running.service.url}/v1/conferences/demo/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({ ...examples[0]?.payload, id: name }),
      });
      const body = (await response.json()) as { code?: number };
      expect([name, response.ok || POSSIBLE.has(Number(body.code)) ? 'understood' : body]).toEqual([
        name,
        'understood',
      ]);
    }
  }, 60_000);

  it('messages of the socket; what comes back holds to the document', async () => {
    const example = (name: string) => messages[name]?.examples[0]?.payload;
    holds(subscribeAckSchema, await ask('subscribe', example('subscribe')));
    holds(commandAckSchema, await ask('command', example('command')));
    expect(await ask('unsubscribe', example('unsubscribe'))).toEqual({ ok: true });
    const refused = (await ask('command', { id: 'x' })) as { refusal: unknown };
    holds(refusalSchema, refused.refusal);
    await running.organizer.send('mark-room-full', { room: 'b' });
    holds(subscribeAckSchema, await ask('subscribe', { channels: { schedule: null, _access: null } }));
    const frames = () => seen.filter(({ event }) => event === 'frame');
    const beacons = () => seen.filter(({ event }) => event === 'beacon');
    for (let turn = 0; (frames().length === 0 || beacons().length === 0) && turn < 50; turn++)
      await new Promise((resolve) =>
        socket.onAny(function once() {
          socket.offAny(once);
          resolve(undefined);
        }),
      );
    for (const { body } of frames()) holds(frameSchema, body);
    for (const { body } of beacons()) holds(beaconSchema, body);
  }, 60_000);
});
