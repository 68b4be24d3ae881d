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
const WITHIN_MS = 10_000;
type Act = 'killed' | 'left' | 'frozen';
const KINDS: readonly Act[] = ['frozen', 'killed', 'left'];
const oneOf = <T>(some: readonly T[]): T => some[Math.floor(Math.random() * some.length)] as T;

suite('three projectors that come and go on eight partitions of a broker', () => {
  let kafka: TestKafka;
  let database: TestDatabase;
  let gateway: ServiceProcess;
  const conferences: Api[] = [];
  const projectors = new Map<number, ServiceProcess>();
  let going = true;
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
      'the projector is ready',
      async () =>
        (await fetch(`${projector.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined))?.ok ??
        false,
      30_000,
    );
  };
  const checkpoints = async () => {
    const live = await liveGeneration(database.pool);
    const { rows } = await database.pool.query<{ partition: number; next: string; owner: string | null }>(
      `select partition, next_offset as next, owner from ${live?.schema}.projection_checkpoint`,
    );
    return rows;
  };
  /** Looks all the while for how long each partition stands: each is sent to without a pause, thus each has something that waits. */
  const watch = () => {
    const seen = new Map<number, { next: string; owner: string | null; moved: number; hit: number }>();
    const longest = { afterLoss: 0, overall: 0 };
    const look = async () => {
      for (const { partition, next, owner } of await checkpoints()) {
        const now = performance.now();
        const { moved, hit, next: before } = seen.get(partition) ?? { moved: now, hit: now, next };
        longest.overall = Math.max(longest.overall, now - moved);
        longest.afterLoss = Math.max(longest.afterLoss, now - Math.max(moved, hit));
        seen.set(partition, { next, owner, hit, moved: next === before ? moved : now });
      }
    };
    const watching = (async () => {
      for (; going; await pass(50)) await look();
    })();
    watching.catch(() => undefined); // Whoever awaits its end hears of it.
    return {
      /** Whoever has partitions is about to lose them. */
      hit(pid: number | undefined) {
        for (const one of seen.values()) if (one.owner?.split('-')[1] === String(pid)) one.hit = performance.now();
      },
      /** Once nothing goes on. */
      async end() {
        await watching;
        return longest;
      },
    };
  };

  /** Each of the three has partitions to lose. */
  const untilShared = async () => {
    const shared = async () => {
      const owners = new Set((await checkpoints()).map(({ owner }) => owner?.split('-')[1]));
      return [...projectors.values()].every(({ child }) => owners.has(String(child.pid)));
    };
    await until('each has a part', shared, 60_000);
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
    await untilShared();
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
    going = false;
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
      let left = false;
      void projectors
        .get(slot)
        ?.end('SIGTERM')
        .then(() => {
          left = true;
        });
      await until('it has left', () => left, 30_000);
      await join(slot);
    },
    async frozen(slot: number) {
      const { child } = projectors.get(slot) ?? {};
      child?.kill('SIGSTOP');
      await pass(FROZEN_MS); // How long it is frozen is what is tried.
      child?.kill('SIGCONT');
    },
  };

  it('I1, I2: rows and documents are the sequential fold, each event once, none lost, and each partition goes on within 10 s of the loss of its owner', async () => {
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
    const watched = watch();
    const done: Promise<void>[] = [];
    const act = async (kind: Act, slot: number) => {
      busy.add(slot);
      watched.hit(projectors.get(slot)?.child.pid);
      await acts[kind](slot).finally(() => busy.delete(slot));
    };
    const churn = async () => {
      const end = performance.now() + CHURN_MS;
      for (let turn = 0; performance.now() < end || turn < KINDS.length; ) {
        await pass(200 + Math.random() * 1_800); // Members come and go at random moments: that is the test.
        const idle = [0, 1, 2].filter((slot) => !busy.has(slot));
        // One is left to work; the others may die and freeze at the same time.
        if (idle.length < 2) continue;
        // Each kind once, then at random.
        done.push(act(KINDS[turn] ?? oneOf(KINDS), oneOf(idle)));
        turn += 1;
      }
      await Promise.all(done);
      await untilShared();
    };
    await churn().finally(() => {
      going = false;
    });
    const longest = await watched.end();
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
      `${sent} commands, ${folded.commands} folded; ${done.length} acts; a partition stood for ${Math.round(longest.overall)} ms at most\n`,
    );
    await log.close();
    expect(folded).toEqual(expected);
    expect(folded.sessions).toBeGreaterThan(50);
    expect(folded.audit.length).toBeGreaterThan(50);
    expect(longest.afterLoss).toBeLessThan(WITHIN_MS);
  }, 240_000);
});
