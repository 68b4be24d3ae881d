import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { databaseIdentity, listen, notifier } from './index.js';

const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };

/** Counts calls; `reached(n)` resolves at the n-th. */
function counter() {
  let count = 0;
  let waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  return {
    count: () => count,
    add() {
      count += 1;
      for (const { at, resolve } of waiting) if (count >= at) resolve();
      waiting = waiting.filter(({ at }) => count < at);
    },
    reached: (at: number) =>
      count >= at ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ at, resolve })),
  };
}

describe('identity, listening and notifying', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  it('the identity names system and timeline, and needs no privilege', async () => {
    await db.pool.query('drop role if exists nobody_special; create role nobody_special');
    const client = await db.pool.connect();
    await client.query('set role nobody_special');
    expect(await databaseIdentity(client)).toMatch(/^\d{10,}\/1$/);
    await client.query('reset role; drop role nobody_special');
    client.release();
  });

  it('a listener whose connection is killed connects again and says so, and hears again', async () => {
    const [ready, heard] = [counter(), counter()];
    const options = {
      url: db.url,
      channel: 'Hall A',
      logger,
      applicationName: 'to be killed',
      backoffMs: [5, 50],
    } as const;
    const listener = listen({ ...options, onReady: ready.add, onNotify: heard.add });
    await ready.reached(1);
    await db.pool.query(`notify "Hall A"`);
    await heard.reached(1);
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to be killed'`,
    );
    await ready.reached(2);
    await db.pool.query(`notify "Hall A"`);
    await heard.reached(2);
    await listener.close();
  });

  it('a connection that falls silent without an end is given up by its canary', async () => {
    const target = new URL(db.url);
    const ready = counter();
    let latest: Socket | undefined;
    const proxy = createServer((socket) => {
      const server = connect(Number(target.port), target.hostname);
      latest = server;
      socket.pipe(server).pipe(socket);
      socket.on('error', () => server.destroy()).on('close', () => server.destroy());
      server.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    const url = new URL(db.url);
    url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const options = { url: url.href, channel: 'c', logger, canaryMs: 250, backoffMs: [5, 50] } as const;
    const listener = listen({ ...options, onReady: ready.add, onNotify: silent });
    await ready.reached(1);
    latest?.unpipe();
    await ready.reached(2);
    await listener.close();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('many notifications at once become few, and the last payload arrives', async () => {
    const ready = counter();
    const payloads: string[] = [];
    let listener: ReturnType<typeof listen> | undefined;
    const last = new Promise<void>((resolve) => {
      const onNotify = (payload: string) => {
        payloads.push(payload);
        if (payload === '999') resolve();
      };
      listener = listen({ url: db.url, channel: 'busy', logger, onReady: ready.add, onNotify });
    });
    await ready.reached(1);
    const sender = notifier({ database: db.pool, channel: 'busy', logger });
    for (let n = 0; n < 1_000; n += 1) sender.notify(String(n));
    await sender.close();
    await last;
    expect(payloads.length).toBeLessThanOrEqual(2);
    await listener?.close();
  });

  it('a notification stands in nobody’s trace, least of all in that of whoever began the loop', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const key = createContextKey('who');
    const seen: unknown[] = [];
    const query = ((text: string, values: unknown[]) => {
      seen.push(context.active().getValue(key));
      return db.pool.query(text, values);
    }) as typeof db.pool.query;
    const sender = notifier({ database: { query }, channel: 'traced', logger });
    context.with(ROOT_CONTEXT.setValue(key, 'ann'), () => sender.notify('1'));
    sender.notify('2');
    await sender.close();
    context.disable();
    expect(seen).toEqual([undefined, undefined]);
  });
});
