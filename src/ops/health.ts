/** Alive and ready, judged by progress: "process is up" proves nothing, and a heartbeat proves a heartbeat. */
import type { Feed } from '#libs/feed';
import type { Projector } from '#libs/projector';
import type { Health } from '../doors/http/ports.js';

/** Events wait for so long and none is folded, or a partition of ours is not claimed for so long: the partition is wedged. */
const WEDGED_MS = 30_000;
/** A projector that has not seen the log for so long folds nothing; what lies behind it is caught up when it is back. */
const SILENT_MS = 10_000;
/** A tail that has not read for so long serves what is old, and its database does not answer. */
const STALE_MS = 10_000;
const LOOK_MS = 1_000;

export interface HealthParts {
  readonly sockets: { stats(): object };
  readonly role: string;
  readonly feed: Pick<Feed, 'idle' | 'oldest' | 'stats'>;
  readonly projector: Pick<Projector, 'status' | 'reading'> | undefined;
  /** Milliseconds after which a partition is wedged; default 30,000. */
  readonly wedgedMs?: number;
  /** What reads the intake's topic; undefined where nothing does. It makes nobody less ready: commands and screens need no intake. */
  readonly intake?: () => object | undefined;
  /** Why the embedded database is away; undefined: it is not, or it is none of ours. */
  readonly database?: () => string | undefined;
}

/**
 * What no restart of the process mends: no connection, no space, no right, a database that is stopping or starting (08, 28, 42501, 53,
 * 57P0x, 58). The batch is tried again until it is mended.
 */
const ELSEWHERE = /^(08|28|53|58)...$|^57P0.$|^42501$/;

export interface ProcessHealth extends Health {
  drain(): void;
  close(): void;
}

export function createHealth({
  role,
  feed,
  projector,
  sockets,
  intake,
  database = () => undefined,
  wedgedMs = WEDGED_MS,
}: HealthParts): ProcessHealth {
  let draining = false;
  let awayAt = Number.NEGATIVE_INFINITY;
  const partitions = () => projector?.status() ?? [];
  const reading = () => projector?.reading() ?? { silentMs: 0, alarms: [] };
  // While the database or the log is away nothing can move, and a restart would not bring it back: that time does not count.
  const look = () => {
    if (database() !== undefined || feed.idle() > STALE_MS || reading().silentMs > SILENT_MS)
      awayAt = performance.now();
  };
  const timer = setInterval(look, LOOK_MS).unref();
  const progress = () => {
    const lag = partitions().reduce((sum, { next, high }) => sum + (high > next ? Number(high - next) : 0), 0);
    // A projector loads no conference: the age of what it serves would always be 0.
    return { role, lag, ...(role === 'projector' ? {} : { ageMs: Math.round(feed.oldest()) }) };
  };
  return {
    drain() {
      draining = true;
    },
    close() {
      clearInterval(timer);
    },
    alive() {
      look();
      const answeredMs = performance.now() - awayAt;
      const wedged = partitions().filter(({ waitsMs, unclaimedMs, error }) => {
        if (error && ELSEWHERE.test(error)) return false;
        return Math.min(Math.max(waitsMs, unclaimedMs), answeredMs) > wedgedMs;
      });
      // Who only lags is alive, and says how far: a restart would cost it what it has caught up.
      return { ok: wedged.length === 0, details: { ...progress(), wedged: wedged.map(({ partition }) => partition) } };
    },
    ready() {
      const errors = partitions().flatMap(({ partition, error }) => (error ? [{ partition, error }] : []));
      const idle = feed.idle();
      const { silentMs, alarms } = reading();
      const problem = database() ?? (errors.some(({ error }) => error === '53100') ? 'disk is full' : undefined);
      const details = {
        ...progress(),
        draining,
        ...(problem === undefined ? {} : { database: problem }),
        owned: partitions().filter(({ owned }) => owned).length,
        tailIdleMs: Math.round(idle),
        feed: feed.stats(),
        sockets: sockets.stats(),
        errors,
        log: { silentMs: Math.round(silentMs), alarms },
        intake: intake?.(),
      };
      // Whoever serves pages as well goes on serving them while the log is away, and they say how old they are.
      const reads = alarms.length === 0 && (role !== 'projector' || silentMs < SILENT_MS);
      return { ok: !draining && problem === undefined && idle < STALE_MS && reads && errors.length === 0, details };
    },
  };
}
