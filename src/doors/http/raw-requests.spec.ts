import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDoors, type Doors } from '../../../test/support/doors.js';
import { type HttpDoor, openHttpDoor } from '../../../test/support/http-door.js';
import { rawHttp, requestHead } from '../../../test/support/raw-http.js';
import { CONFERENCE, openDemo, organizer, someone } from '../../../test/support/world.js';

const HERE = `/v1/conferences/${CONFERENCE}`;
const BLOCK = Buffer.alloc(64 * 1024, '<');
const MEGABYTES_16 = 16 * 1024 * 1024;

describe('requests as they come over the wire', () => {
  let doors: Doors;
  let door: HttpDoor;

  beforeAll(async () => {
    doors = createDoors();
    await openDemo(doors.world);
    await doors.follow();
    door = await openHttpDoor(doors);
  });
  afterAll(() => door.close());

  const token = (who = someone('ann')) => doors.tokens.issue(who, 60);
  const ask = async (text: string) => {
    const { status, body } = await rawHttp(door.url, (socket) => socket.write(text));
    return { status, ...(JSON.parse(body) as { code: number }) };
  };
  const get = async (path: string) =>
    ask(requestHead('GET', path, [`authorization: Bearer ${await token(organizer)}`, 'connection: close']));

  /** Writes as fast as the connection takes it, and never more than 64 MB. */
  const pour = (socket: Socket, wrap: (block: Buffer) => Buffer = (block) => block) => {
    let rest = 1_024;
    const more = () => {
      while (!socket.destroyed && rest-- > 0 && socket.write(wrap(BLOCK))) {
        // On until the connection takes no more.
      }
      if (rest > 0) socket.once('drain', more);
    };
    more();
  };
  const chunked = (block: Buffer) =>
    Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]);

  it('case V26: an attendee’s import is refused before its body is read, with a length or in chunks, asked for or not', async () => {
    const lines = async (...more: string[]) =>
      requestHead('POST', `${HERE}/imports`, [`authorization: Bearer ${await token()}`, ...more]);
    const sized = await lines(`content-length: ${MEGABYTES_16}`);
    for (const head of [sized, await lines('transfer-encoding: chunked')]) {
      // Nothing of the body is sent: the answer cannot have waited for it.
      const { status, body } = await rawHttp(door.url, (socket) => socket.write(head));
      expect([status, JSON.parse(body)]).toMatchObject([403, { code: 302 }]);
    }
    const waiting = await lines(`content-length: ${MEGABYTES_16}`, 'expect: 100-continue');
    expect((await rawHttp(door.url, (socket) => socket.write(waiting))).status).toBe(403);
  });

  it('case V26: who goes on sending after a refusal is read for a bounded while, then cut off', async () => {
    const cases = [
      ['imports', 'transfer-encoding: chunked', someone('ann'), 302],
      ['imports', `content-length: ${MEGABYTES_16 + 1}`, organizer, 205],
      ['imports', 'transfer-encoding: chunked', organizer, 205],
      ['commands', 'transfer-encoding: chunked', someone('ann'), 205],
      ['tokens', 'transfer-encoding: chunked', someone('ann'), 302],
      ['join', 'transfer-encoding: chunked', someone('ann'), 205],
      ['nowhere', 'transfer-encoding: chunked', someone('ann'), 205],
    ] as const;
    for (const [route, length, who, code] of cases) {
      const head = requestHead('POST', `${HERE}/${route}`, [`authorization: Bearer ${await token(who)}`, length]);
      const { body } = await rawHttp(door.url, (socket) => {
        socket.write(head);
        pour(socket, length.startsWith('transfer') ? chunked : undefined);
      });
      expect([route, JSON.parse(body).code]).toEqual([route, code]);
    }
    const head = requestHead('POST', `${HERE}/imports`, [
      `authorization: Bearer ${await token()}`,
      'transfer-encoding: chunked',
    ]);
    // 64 MB are on offer; what was taken lies in the buffers of the connection.
    const sent = await new Promise<number>((resolve) => {
      const { hostname, port } = new URL(door.url);
      const socket = connect(Number(port), hostname, () => {
        socket.write(head);
        pour(socket, chunked);
      });
      socket.on('error', () => undefined).on('close', () => resolve(socket.bytesWritten));
    });
    expect(sent).toBeLessThan(MEGABYTES_16);
  });

  it('case V26: what may be sent is asked for, and taken: 100-continue, chunks, gzip', async () => {
    const command = JSON.stringify({ id: 'raw', type: 'ask-question', data: { session: 's1', text: 'Why?' } });
    const lines = [`authorization: Bearer ${await token()}`, 'content-type: application/json'];
    const head = (...more: string[]) => requestHead('POST', `${HERE}/commands`, [...lines, ...more]);
    const inChunks = `${head('transfer-encoding: chunked')}${chunked(Buffer.from(command))}0\r\n\r\n`;
    expect(await rawHttp(door.url, (socket) => socket.write(inChunks))).toMatchObject({ status: 200 });
    const continued = await rawHttp(door.url, (socket) => {
      socket.once('data', (line) => expect(String(line)).toMatch(/^HTTP\/1\.1 100 /));
      socket.once('data', () => socket.write(command));
      socket.write(head(`content-length: ${command.length}`, 'expect: 100-continue'));
    });
    expect(continued.status).toBe(200);
    const packed = gzipSync(command);
    const zipped = await rawHttp(door.url, (socket) => {
      socket.write(head(`content-length: ${packed.length}`, 'content-encoding: gzip'));
      socket.write(packed);
    });
    expect(zipped.status).toBe(200);
    const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
    const burst = await rawHttp(door.url, (socket) => {
      socket.write(head(`content-length: ${bomb.length}`, 'content-encoding: gzip'));
      socket.write(bomb);
    });
    expect(JSON.parse(burst.body)).toMatchObject({ code: 205 });
  });

  it('case V27: a channel has one spelling in an address, whatever a proxy or router would make of another', async () => {
    expect((await get(`${HERE}/channels/session/s1/questions`)).status).toBe(200);
    for (const channel of [
      'session/s1/questions/../desk',
      'session/s1//desk',
      'session/s1/%64esk',
      'session%2Fs1%2Fdesk',
      'session/s1/questions/%2e%2e/desk',
      './schedule',
    ])
      for (const route of ['channels', 'older', 'CHANNELS'])
        expect(await get(`${HERE}/${route}/${channel}`)).toMatchObject({ status: 400, code: 200 });
    for (const path of ['//v1/conferences', '/v1/../v1/conferences', 'http://hall/v1/conferences', '/v1/%2e/x'])
      expect(await get(path)).toMatchObject({ status: 400, code: 200 });
  });

  it('case R12: what is escaped wrongly, or stands for no text, is refused by number in every part of an address', async () => {
    for (const path of [
      `${HERE}/audit?actor=%00`,
      `${HERE}/audit?actor=%E0%A4%A`,
      `${HERE}/audit?%ff=1`,
      `${HERE}/commands/%E0%A4%A`,
      `${HERE}/commands/%00`,
      `/v1/conferences/%ed%a0%80/audit`,
      '/assets/%ff.js',
      '/%00',
    ])
      expect(await get(path)).toMatchObject({ status: 400, code: 200 });
  });

  it('case R14: what Node’s HTTP parser refuses by itself has a number, too', async () => {
    const cases: [text: string, status: number, code: number][] = [
      [requestHead('GET', '/healthz', ['expect: x']), 417, 200],
      [requestHead('GET', `/${'a'.repeat(5_000)}`), 413, 205],
      [requestHead('GET', `/${'a'.repeat(20_000)}`), 431, 205],
      [requestHead('GET', '/', [`x: ${'a'.repeat(20_000)}`]), 431, 205],
      [requestHead('G T', '/'), 400, 200],
      ['hello\r\n\r\n', 400, 200],
      [requestHead('POST', '/', ['content-length: -1']), 400, 200],
      [`${requestHead('POST', '/', ['transfer-encoding: chunked'])}zz\r\n`, 400, 200],
      ['GET / HTTP/1.1\r\n\r\n', 400, 200],
    ];
    for (const [text, status, code] of cases)
      expect([text.slice(0, 40), await ask(text)]).toMatchObject([text.slice(0, 40), { status, code }]);
  });
});
