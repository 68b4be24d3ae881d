/**
 * Every metric of our own: name, unit, help. Nothing else names one; dashboards, rules and docs/slo.md are checked against a scrape.
 * Labels are bounded: class (3), kind and reason (closed lists), partition (≤ 256). Never a conference, a person or a text.
 */
import { type Attributes, type Histogram, metrics, type Observable, type ObservableResult } from '@opentelemetry/api';

const meter = metrics.getMeter('hallway');

/** Seconds; from one tick of a screen to what nobody would call live. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 1, 2.5, 5, 10, 30];
const COUNTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

const seconds = (name: string, description: string): Histogram =>
  meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } });

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
  commit: seconds('feed.projection.commit.duration', 'One projection transaction: read, folded, written, committed'),
  batch: meter.createHistogram('feed.projection.batch.size', {
    description: 'Records of one projection transaction',
    unit: '{record}',
    advice: { explicitBucketBoundaries: COUNTS },
  }),
  claims: meter.createCounter('feed.projection.claims', { description: 'Partitions claimed', unit: '{claim}' }),
  fences: meter.createCounter('feed.projection.fences', {
    description: 'Writes refused because another had claimed the partition',
    unit: '{fence}',
  }),
} as const;

const gauge = (name: string, description: string, unit: string) => () =>
  meter.createObservableGauge(name, { description, unit });
const total = (name: string, description: string, unit: string) => () =>
  meter.createObservableCounter(name, { description, unit });

/** Looked up when somebody scrapes: they cost the road nothing. */
const observed = {
  lag: gauge(
    'feed.projection.lag',
    'Events of the log that are not folded yet; of partitions this process owns',
    '{event}',
  ),
  lagSeconds: gauge(
    'feed.projection.lag.time',
    'Age of what the gateway serves: now less "as of", the oldest conference',
    's',
  ),
  progress: total('feed.projection.folded', 'Offset after the last folded event', '{event}'),
  owned: gauge('feed.projection.partitions', 'Partitions this process owns', '{partition}'),
  stopped: gauge('feed.projection.stopped', 'Partitions stopped by an alarm of the guard', '{partition}'),
  silent: gauge('feed.log.silence', 'Since the log last answered this reader', 's'),
  connections: gauge('feed.connections', 'Sockets that follow, by class', '{socket}'),
  frames: total('feed.frames', 'Frames written', '{frame}'),
  skipped: total('feed.sockets.skipped', 'Frames left for later because a socket did not drain', '{frame}'),
  closedSlow: total('feed.sockets.closed_slow', 'Sockets closed because they did not drain', '{socket}'),
  resumes: total('feed.resume.outcomes', 'Answers to a returning client, by kind', '{resume}'),
  refused: total('feed.refusals', 'Sockets and messages refused, by number', '{refusal}'),
  deadLetters: gauge(
    'feed.dead_letters',
    'Records that came in and could not be taken, and still lie there',
    '{record}',
  ),
  parked: gauge('feed.parked_streams', 'Streams that wait behind an event nobody can fold', '{stream}'),
  polls: total('feed.tail.reads', 'Readings of the feed by the gateway', '{read}'),
  reloads: total('feed.tail.reloads', 'Replicas read whole again', '{reload}'),
  pool: gauge('feed.pool.connections', 'Database connections by pool and state (idle, used, waiting)', '{connection}'),
} as const;

export type ObservedName = keyof typeof observed;
export type Looked = readonly (readonly [value: number, labels?: Attributes])[];

/** Registers what is looked up at each scrape. A look that fails leaves its metric out of that scrape. */
export function observe(looks: Partial<Record<ObservedName, () => Looked | Promise<Looked>>>): () => void {
  const undo = Object.entries(looks).map(([name, look]) => {
    const instrument: Observable = observed[name as ObservedName]();
    const callback = async (result: ObservableResult) => {
      for (const [value, labels] of await look()) result.observe(value, labels);
    };
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  });
  return () => {
    for (const one of undo) one();
  };
}
