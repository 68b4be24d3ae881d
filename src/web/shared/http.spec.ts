/// <reference types="node" />
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, Refused, serverNow } from './http.js';

const MINUTE = 60_000;

describe('calls over HTTP', () => {
  let server: Server;
  let url: string;
  /** The server's clock, ahead of ours. */
  let ahead = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.setHeader('date', new Date(Date.now() + ahead).toUTCString());
      response.statusCode = request.url === '/refused' ? 422 : 200;
      response.end(JSON.stringify(request.url === '/refused' ? { code: 201, detail: 'no' } : {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('case V40: the time before there is a feed is the server’s, as each answer says it, and not the device’s', async () => {
    for (const minutes of [7, -7]) {
      ahead = minutes * MINUTE;
      await call(`${url}/`);
      expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(1_500);
    }
    ahead = 60 * MINUTE;
    await expect(call(`${url}/refused`)).rejects.toMatchObject(new Refused(201, 'no'));
    expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(1_500);
  });
});
