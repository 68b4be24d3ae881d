import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
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
  const ready = (url: string) =>
    until('it is ready', async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok ?? false, 60_000);
  const of = (role: string) => running.filter((one) => one.role === role).map(({ process }) => process);

  beforeAll(async () => {
    [kafka, database] = await Promise.all([startTestKafka(), createTestDatabase()]);
    const { services } = readCompose({ POSTGRES_PASSWORD: 'x' });
    const { status, stderr } = spawnSync(
      process.execPath,
      ['dist/src/cli/main.js', ...(services.setup?.command ?? [])],
      { env: { PATH: process.env.PATH ?? '', ...environmentOf('setup') }, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the one-shot failed: ${stderr}`);
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
    const tokens = await createTokens(database.pool);
    const token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600);
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
