/** Case L: how long the conferences of a projector that is killed stand still. TAKEOVER_ROUNDS=30 gives a figure to trust; the default is a check. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { liveGeneration } from '#libs/projector';
import { type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const ROUNDS = Number(process.env.TAKEOVER_ROUNDS ?? 3);
const PARTITIONS = 8;
const BOUND_MS = 6_000;

describe('a projector that is killed', () => {
  let database: TestDatabase;
  const projectors = new Map<number, ServiceProcess>();

  const start = async (slot: number) => {
    const projector = await startProcess({ DATABASE_URL: database.url, ROLE: 'projector', LOG_LEVEL: 'warn' });
    projectors.set(slot, projector);
    await until(
      'it is ready',
      async () => (await fetch(`${projector.url}/readyz`).catch(() => undefined))?.ok ?? false,
      60_000,
    );
  };
  /** Partition to the process that may write it now. */
  const owners = async () => {
    const live = await liveGeneration(database.pool);
    const { rows } = await database.pool.query<{ partition: number; owner: string }>(
      `select partition, owner from ${live?.schema}.projection_checkpoint where lease_until > clock_timestamp()`,
    );
    return new Map(rows.map(({ partition, owner }) => [partition, owner.split('-')[1]]));
  };
  const ownedBy = async (projector: ServiceProcess | undefined) =>
    [...(await owners())].filter(([, pid]) => pid === String(projector?.child.pid)).map(([partition]) => partition);

  beforeAll(async () => {
    database = await createTestDatabase();
    await start(0);
    await start(1);
  }, 150_000);
  afterAll(async () => {
    for (const projector of projectors.values()) await projector.end('SIGKILL');
    await database?.drop();
  }, 60_000);

  it(
    'case L: each of its partitions has another owner within 6 s, measured from the kill',
    async () => {
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const slot = round % 2;
        const victim = projectors.get(slot);
        await until('each has half', async () => (await ownedBy(victim)).length === PARTITIONS / 2, 60_000);
        const lost = new Set(await ownedBy(victim));
        const killed = performance.now();
        await victim?.end('SIGKILL');
        await until(
          'all are taken over',
          async () => {
            for (const [partition, pid] of await owners()) {
              if (pid === String(victim?.child.pid) || !lost.delete(partition)) continue;
              took.push(performance.now() - killed);
            }
            return lost.size === 0;
          },
          60_000,
        );
        await start(slot);
      }
      const sorted = took.map(Math.round).sort((one, other) => one - other);
      const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      process.stderr.write(
        `takeover of ${sorted.length} partitions in ${ROUNDS} rounds: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms\n`,
      );
      expect(sorted).toHaveLength((ROUNDS * PARTITIONS) / 2);
      expect(at(0.99)).toBeLessThanOrEqual(BOUND_MS);
    },
    120_000 + ROUNDS * 60_000,
  );
});
