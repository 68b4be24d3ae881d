/**
 * Every metric of our own: name, unit, help. Nothing else names one; dashboards, rules and docs/slo.md are checked against a scrape.
 * Labels are bounded: class (3), kind and reason (closed lists), partition (≤ 256). Never a conference, a person or a text.
 */
import {
  type Attributes,
  type Counter,
  type Histogram,
  metrics,
  type Observable,
  type ObservableResult,
} from '@opentelemetry/api';

const meter = metrics.getMeter('hallway');

/** Seconds; from one tick of a screen to what nobody would call live. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 1, 2.5, 5, 10, 30];
const COUNTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

const seconds = (name: string, description: string): Histogram =>
  meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } });

/** There from the first scrape on: a rate of what begins at 1 is blind to the first. */
function counter(name: string, description: string, unit: string, labels: readonly Attributes[] = [{}]): Counter {
  const made = meter.createCounter(name, { description, unit });
  for (const one of labels) made.add(0, one);
  return made;
}

/** Recorded where it happens. */
export const recorded = {
  eventToScreen: seconds(
    'feed.event_to_screen.duration',
    'From the append of an event to the frame written to the last socket of its class (stage="written"), and to a client having shown it (stage="shown", a sample)',
  ),
  append: seconds('feed.append.duration', 'One command’s events: sealed, encoded and in the log'),
  command: seconds(
    'feed.command.duration',
    'A command from the door to its answer; label outcome: accepted or a refusal',
  ),
  fold: seconds(
    'feed.projection.fold.duration',
    'One batch read and folded in memory; the one before it is written meanwhile',
  ),
  commit: seconds('feed.projection.commit.duration', 'One projection transaction, from its begin to its commit'),
  batch: meter.createHistogram('feed.projection.batch.size', {
    description: 'Records of one projection transaction',
    unit: '{record}',
    advice: { explicitBucketBoundaries: COUNTS },
  }),
  failed: counter(
    'feed.projection.failures',
    'Transactions that failed: of the data, for now (transient) or otherwise; fences are counted apart',
    '{transaction}',
    ['data', 'transient', 'other'].map((why) => ({ why })),
  ),
  claims: counter('feed.projection.claims', 'Partitions claimed', '{claim}'),
  fences: counter('feed.projection.fences', 'Writes refused because another had claimed the partition', '{fence}'),
} as const;

const gauge = (name: string, description: string, unit: string) => () =>
  meter.createObservableGauge(name, { description, unit });
const total = (name: string, description: string, unit: string) => () =>
  meter.createObservableCounter(name, { description, unit });

/** Looked up when somebody scrapes: they cost the road nothing. */
const observed = {
  lag: gauge(
    'feed.projection.lag',
    'Events of the log that are not folded yet; 0 for partitions that are not for this process to fold',
    '{event}',
  ),
  lagSeconds: gauge(
    'feed.projection.lag.time',
    'Age of what the gateway serves: now less "as of", the oldest conference',
    's',
  ),
  progress: total('feed.projection.folded', 'Events this process has folded, by partition', '{event}'),
  partitions: gauge('feed.log.partitions', 'Partitions of the log', '{partition}'),
  owned: gauge('feed.projection.partitions', 'Partitions this process owns', '{partition}'),
  stopped: gauge('feed.projection.stopped', 'Partitions stopped by an alarm of the guard', '{partition}'),
  silent: gauge('feed.log.silence', 'Since the log last answered this reader', 's'),
  connections: gauge('feed.connections', 'Sockets that follow, by class', '{socket}'),
  frames: total('feed.frames', 'Frames written', '{frame}'),
  skipped: total('feed.sockets.skipped', 'Frames left for later because a socket did not drain', '{frame}'),
  bytes: total('feed.sent.bytes', 'Frames, beacons and answers as they were handed to sockets, by class', 'By'),
  turnedAway: total(
    'feed.sockets.turned_away',
    'Sockets turned away for now, by class: at="upgrade" by overload, at="connect" by a refusal 1xx',
    '{socket}',
  ),
  slowPath: gauge('feed.sockets.slow_path', '1: frames take the slow way; the log says why', '{state}'),
  closedSlow: total('feed.sockets.closed_slow', 'Sockets closed because they did not drain', '{socket}'),
  resumes: total(
    'feed.resume.outcomes',
    'Final answers to a returning client, by kind; ahead: its cursor was false, refused: it is to come again',
    '{resume}',
  ),
  mismatches: total(
    'feed.copies.wrong',
    'Copies that clients found wrong by their sums; after="change": healed by a snapshot, after="snapshot": no snapshot mends them',
    '{copy}',
  ),
  wrongReplicas: total(
    'feed.replicas.wrong',
    'Replicas of a gateway that were not what the database has, and were read again',
    '{replica}',
  ),
  restores: total(
    'feed.history.parted',
    'Times a gateway found another history in the same epoch: a restore that nothing but its contents shows',
    '{restore}',
  ),
  refused: total('feed.refusals', 'Sockets and messages refused, by number', '{refusal}'),
  deadLetters: gauge(
    'feed.dead_letters',
    'Records that came in and could not be taken, and still lie there',
    '{record}',
  ),
  parked: gauge('feed.parked_streams', 'Streams that wait behind an event nobody can fold', '{stream}'),
  polls: total('feed.tail.reads', 'Readings of the feed by the gateway', '{read}'),
  reloads: total('feed.tail.reloads', 'Replicas read whole again', '{reload}'),
  instrumented: gauge(
    'telemetry.instrumented',
    '1: the library (http, pg) was met and is traced; 0: its spans are missing',
    '{library}',
  ),
  limits: gauge(
    'feed.limit',
    'Bounds of this process by name and unit; docs/limits.md says what happens beyond each',
    '1',
  ),
  pool: gauge('feed.pool.connections', 'Database connections by pool and state (idle, used, waiting)', '{connection}'),
} as const;

export type ObservedName = keyof typeof observed;
export type Looked = readonly (readonly [value: number, labels?: Attributes])[];

/** Longer than any look at a database that is well. */
const LOOK_MS = 1_000;

/**
 * Registers what is looked up at each scrape. What was once observed the SDK reports again and again: a look that fails or takes
 * longer than a second leaves the last value standing, and so would a label that is no longer looked at. Say 0 of it instead.
 */
export function observe(looks: Partial<Record<ObservedName, () => Looked | Promise<Looked>>>): () => void {
  const undo = Object.entries(looks).map(([name, look]) => {
    const instrument: Observable = observed[name as ObservedName]();
    const bounded = boundedLook(look);
    const callback = async (result: ObservableResult) => {
      for (const [value, labels] of (await bounded()) ?? []) result.observe(value, labels);
    };
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  });
  return () => {
    for (const one of undo) one();
  };
}

/** One look at a time: a database that hangs is asked once, not again with each scrape, and takes no other metric with it. */
function boundedLook(look: () => Looked | Promise<Looked>): () => Promise<Looked | undefined> {
  let running: Promise<Looked> | undefined;
  return async () => {
    running ??= (async () => look())().finally(() => {
      running = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), LOOK_MS);
    });
    return Promise.race([running, late]).finally(() => clearTimeout(timer));
  };
}
