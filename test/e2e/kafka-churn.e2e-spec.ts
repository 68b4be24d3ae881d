/** Projectors join, leave, die and freeze at random on a real broker while events flow (failure list T1–T6, T22–T25). */
import { spawnSync } from 'node:child_process';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaLog, partitionOf } from '#libs/event-log';
import { liveGeneration } from '#libs/projector';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { kafkaMissing, startTestKafka, type TestKafka } from '../support/kafka.js';
import { foldedAndExpected } from '../support/oracle.js';
import { type Api, api, type ServiceProcess, startProcess, until } from '../support/process.js';
import { silent } from '../support/silent.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = kafkaMissing() ? describe.skip : describe;
const PARTITIONS = 8;
const CHURN_MS = Number(process.env.CHURN_MS ?? 30_000);
/** The broker forgets a member after 6 s. */
const FROZEN_MS = 7_500;

suite('three projectors that come and go on eight partitions of a broker', () => {
  let kafka: TestKafka;
  let database: TestDatabase;
  let gateway: ServiceProcess;
  const conferences: Api[] = [];
  const projectors = new Map<number, ServiceProcess>();
  /** Slots somebody is doing something to. */
  const busy = new Set<number>();

  const environment = (role: string) => ({
    DATABASE_URL: database.url,
    KAFKA_BROKERS: kafka.brokers,
    HALLWAY_PARTITIONS: String(PARTITIONS),
    ROLE: role,
    LOG_LEVEL: 'fatal',
  });
  const join = async (slot: number) => {
    const projector = await startProcess(environment('projector'));
    projectors.set(slot, projector);
    await until(
      'the projector answers',
      async () => (await fetch(`${projector.url}/healthz`).catch(() => undefined))?.ok ?? false,
      30_000,
    );
  };
  const progress = async () => {
    const live = await liveGeneration(database.pool);
    const { rows } = await database.pool.query(
      `select sum(next_offset)::bigint as sum from ${live?.schema}.projection_checkpoint`,
    );
    return Number(rows[0]?.sum);
  };

  beforeAll(async () => {
    [kafka, database] = await Promise.all([startTestKafka(), createTestDatabase()]);
    const { status, stderr } = spawnSync(process.execPath, ['dist/src/cli/main.js', 'topics'], {
      env: { PATH: process.env.PATH ?? '', ...environment('all') },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    await join(0);
    await Promise.all([join(1), join(2)]);
    gateway = await startProcess(environment('gateway'));
    await gateway.printed(/is ready/);
    const token = await (await createTokens(database.pool)).issue(
      { actor: 'olga', role: 'organizer', conference: '*' },
      3_600,
    );
    for (let partition = 0; partition < PARTITIONS; partition++) {
      let number = 0;
      while (partitionOf(`c${number}`, PARTITIONS) !== partition) number++;
      const conference = api(() => gateway.url, token, `c${number}`);
      await conference.send('open-conference', { title: `On partition ${partition}`, timeZone: 'Europe/Berlin' });
      await conference.send('define-rooms', { rooms: [{ id: 'b', name: 'Hall B', order: 1 }] });
      conferences.push(conference);
    }
  }, 180_000);

  afterAll(async () => {
    for (const projector of projectors.values()) {
      projector.child.kill('SIGCONT');
      await projector.end('SIGKILL');
    }
    await gateway?.end('SIGTERM');
    await kafka?.remove();
    await database?.drop();
  }, 60_000);

  const acts = {
    async killed(slot: number) {
      await projectors.get(slot)?.end('SIGKILL');
      await join(slot);
    },
    async left(slot: number) {
      await projectors.get(slot)?.end('SIGTERM');
      await join(slot);
    },
    async frozen(slot: number) {
      const { child } = projectors.get(slot) ?? {};
      child?.kill('SIGSTOP');
      await pass(FROZEN_MS); // How long it is frozen is what is tried.
      child?.kill('SIGCONT');
    },
  };

  it('I1, I2: rows and documents are the sequential fold, each event once, none lost, and within 10 s it goes on', async () => {
    let going = true;
    let sent = 0;
    const work = conferences.map(async ({ send }, conference) => {
      for (let number = 0; going; number++) {
        const session = { id: `x${conference}-${number}`, title: `Session ${number}`, room: 'b' };
        const times = { start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' };
        // Refused while its partition is behind: what counts is what is in the log.
        await send('schedule-session', { ...session, ...times }).catch(() => undefined);
        sent++;
      }
    });
    const done: Promise<void>[] = [];
    const seen = { killed: 0, left: 0, frozen: 0 };
    const end = performance.now() + CHURN_MS;
    while (performance.now() < end) {
      await pass(200 + Math.random() * 1_800); // Members come and go at random moments: that is the test.
      const idle = [0, 1, 2].filter((slot) => !busy.has(slot));
      // One is left to work; the others may die and freeze at the same time.
      if (idle.length < 2) continue;
      const slot = idle[Math.floor(Math.random() * idle.length)] ?? 0;
      const act = (['killed', 'left', 'frozen'] as const)[Math.floor(Math.random() * 3)] ?? 'killed';
      seen[act]++;
      busy.add(slot);
      done.push(acts[act](slot).finally(() => busy.delete(slot)));
    }
    await Promise.all(done);
    const before = await progress();
    const took = await until('it goes on', async () => (await progress()) > before, 10_000);
    going = false;
    await Promise.all(work);
    const log = await createKafkaLog({
      brokers: [kafka.brokers],
      clientId: 'test',
      db: database.pool,
      topic: 'conference.events',
      logger: silent,
    });
    const { folded, expected } = await foldedAndExpected(database, log, 30_000);
    process.stderr.write(
      `churn: ${JSON.stringify(seen)}, ${sent} commands, ${folded.commands} folded; went on after ${Math.round(took)} ms\n`,
    );
    expect(folded).toEqual(expected);
    expect(folded.sessions).toBeGreaterThan(50);
    await log.close();
  }, 240_000);
});
