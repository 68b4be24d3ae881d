/** Alive and ready, judged by progress: "process is up" proves nothing. */
import type { Feed } from '#libs/feed';
import type { Projector } from '#libs/projector';
import type { Health } from '../doors/http/ports.js';

/** A partition whose owner has folded and beaten nothing for so long is wedged. */
const WEDGED_MS = 30_000;
/** A projector that the log has not seen for so long folds nothing; what lies behind it is caught up when it is back. */
const SILENT_MS = 10_000;
/** A tail that has not read for so long serves what is old. */
const STALE_MS = 10_000;

export interface HealthParts {
  readonly sockets: { stats(): object };
  readonly role: string;
  readonly feed: Feed;
  readonly projector: Projector | undefined;
}

export function createHealth({ role, feed, projector, sockets }: HealthParts): Health & { drain(): void } {
  let draining = false;
  const partitions = () => projector?.status() ?? [];
  const lag = () =>
    partitions().reduce((sum, { owned, next, high }) => sum + (owned && high > next ? Number(high - next) : 0), 0);
  return {
    drain() {
      draining = true;
    },
    alive() {
      const wedged = partitions().filter(({ owned, idleMs }) => owned && idleMs > WEDGED_MS);
      // Who only lags is alive, and says how far: a restart would cost it what it has caught up.
      const details = {
        role,
        wedged: wedged.map(({ partition }) => partition),
        lag: lag(),
        ageMs: Math.round(feed.oldest()),
      };
      return { ok: wedged.length === 0, details };
    },
    ready() {
      const errors = partitions().flatMap(({ partition, error }) => (error ? [{ partition, error }] : []));
      const idle = feed.idle();
      const reading = projector?.reading() ?? { silentMs: 0, alarms: [] };
      const details = {
        role,
        draining,
        lag: lag(),
        ageMs: Math.round(feed.oldest()),
        owned: partitions().filter(({ owned }) => owned).length,
        tailIdleMs: Math.round(idle),
        feed: feed.stats(),
        sockets: sockets.stats(),
        errors,
        log: { silentMs: Math.round(reading.silentMs), alarms: reading.alarms },
      };
      const serves = role === 'projector' || idle < STALE_MS;
      // Whoever serves pages as well goes on serving them, and they say how old they are.
      const reads = reading.alarms.length === 0 && (role !== 'projector' || reading.silentMs < SILENT_MS);
      return { ok: !draining && serves && reads && errors.length === 0, details };
    },
  };
}
