import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from './support/process.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function answering(status: number | null): Promise<number> {
  const made = createServer((request, response) => {
    if (status === null) return;
    response.writeHead(request.url === '/readyz' ? status : 404);
    response.end('{"ok":true}');
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
}

const probe = (port: number) =>
  new Promise<number>((resolve) => {
    execFile('bash', ['ops/probe.sh', '/readyz', String(port)], { timeout: 10_000 }, (error) =>
      resolve(error === null ? 0 : Number(error.code ?? -1)),
    );
  });

describe('the health check of the image', () => {
  it('case H3: passes on 200, and on nothing else: another status, no answer in time, no server', async () => {
    expect(await probe(await answering(200))).toBe(0);
    server?.close();
    expect(await probe(await answering(503))).toBe(1);
    server?.close();
    const started = performance.now();
    expect(await probe(await answering(null))).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await probe(await freePort())).toBe(1);
  });
});
