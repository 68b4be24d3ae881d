import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { readCompose } from '../support/compose.js';
import { kafkaMissing, startTestKafka, type TestKafka } from '../support/kafka.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = kafkaMissing() ? describe.skip : describe;

suite('the processes of docker-compose.yml, with its environment, on a real Kafka and Postgres', () => {
  let kafka: TestKafka;
  let database: TestDatabase;
  const running: { role: string; process: ServiceProcess }[] = [];
  const clients: FeedClient[] = [];

  /** The file's own values; only addresses are those of this machine. */
  const environmentOf = (name: string): Record<string, string> => {
    const { environment = {} } = readCompose({ POSTGRES_PASSWORD: 'x' }).services[name] ?? {};
    const { PORT: _, PUBLIC_URL: __, HALLWAY_PRODUCERS: ___, ...kept } = environment;
    return { ...kept, HOST: '127.0.0.1', DATABASE_URL: database.url, KAFKA_BROKERS: kafka.brokers, LOG_LEVEL: 'warn' };
  };
  /** As `docker compose run --rm setup …` does it; what it prints. */
  const once = async (args: readonly string[]) => {
    const env = { PATH: process.env.PATH ?? '', ...environmentOf('setup') };
    return (await promisify(execFile)(process.execPath, ['dist/src/cli/main.js', ...args], { env })).stdout;
  };
  const ready = (url: string) =>
    until('it is ready', async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok ?? false, 60_000);
  const of = (role: string) => running.filter((one) => one.role === role).map(({ process }) => process);

  beforeAll(async () => {
    [kafka, database] = await Promise.all([startTestKafka(), createTestDatabase()]);
    const { services } = readCompose({ POSTGRES_PASSWORD: 'x' });
    await once(services.setup?.command ?? []);
    for (const role of ['projector', 'gateway'])
      for (let one = 0; one < (services[role]?.deploy?.replicas ?? 1); one++)
        running.push({ role, process: await startProcess(environmentOf(role)) });
    for (const { process } of running) await ready(process.url);
  }, 180_000);

  afterAll(async () => {
    for (const client of clients) client.close();
    for (const { process } of running) await process.end('SIGTERM');
    await database?.drop();
    await kafka?.remove();
  }, 60_000);

  it('what is said at one gateway is shown at the other; it goes on when a projector and a gateway are killed', async () => {
    const [first, second] = of('gateway');
    if (!first || !second) throw new Error('two gateways');
    const link = await once(['token', '-r', 'organizer', '--link']);
    expect(link).toMatch(/^http:\/\/\S+\/#link=\S+\n$/);
    const redeemed = await fetch(`${first.url}/v1/links/${link.trim().split('=')[1]}`, { method: 'POST' });
    const { token } = (await redeemed.json()) as { token: string };
    const at = (gateway: ServiceProcess): Api => api(() => gateway.url, token);
    await openDemo(at(first));
    const wall = createFeedClient({
      url: second.url,
      conference: 'demo',
      class: 'screen',
      getToken: () => token,
      channels: ['schedule'],
    });
    clients.push(wall);
    const state = (wanted: string) =>
      until(
        `s1 is ${wanted} on the other gateway's wall`,
        () => (wall.documents('schedule').get('session/s1')?.body as { state?: string } | undefined)?.state === wanted,
        40_000,
      );
    await at(first).send('start-session', { session: 's1' });
    await state('running');

    await of('projector')[0]?.end('SIGKILL');
    await first.end('SIGKILL');
    await at(second).send('end-session', { session: 's1' });
    await state('ended');
    const roles = await fetch(`${of('projector')[1]?.url}/v1/conferences`);
    expect(roles.status).toBe(404);
  }, 120_000);
});
