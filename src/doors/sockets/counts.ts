/** What the socket door counts, for scrapes and `/readyz`, and what it says about it, now and then. */
import { performance } from 'node:perf_hooks';
import type { Logger } from '#libs/postgres';
import type { ClientClass } from '#libs/protocol';
import { observe, spanContextOf } from '#libs/signals';
import type { HallStats } from './hall.js';
import { fastPathProblem } from './writing/fan-out.js';
import { type TickEnd, toldName } from './writing/tick.js';

type PerClass = Record<ClientClass, number>;
const none = (): PerClass => ({ screen: 0, desk: 0, phone: 0 });
const perClass = (counts: PerClass, labels: object = {}) =>
  Object.entries(counts).map(([cls, count]) => [count, { ...labels, class: cls }] as const);

/** Between two lines about changes that came late: what makes one late makes hundreds. */
const LATE_LINE_MS = 10_000;

export class SocketCounts implements HallStats {
  frames = 0;
  skipped = 0;
  closedSlow = 0;
  abandoned = 0;
  readonly bytes = none();
  /** Turned away for now: at the upgrade by overload, in CONNECT by any 1xx. */
  readonly turnedAway = { upgrade: none(), connect: none() };
  /** Final answers: "parted" is one of another history, "ahead" a client whose cursor was false, "refused" one that was told to come again. */
  readonly resumes = { changes: 0, snapshot: 0, current: 0, parted: 0, ahead: 0, refused: 0 };
  /** Copies whose sum was not ours: "healed" were given a snapshot, "again" are wrong after it. */
  readonly mismatches = { healed: 0, again: 0 };
  /** By number. */
  readonly refused: Record<number, number> = {};
  private lateLineAt = Number.NEGATIVE_INFINITY;
  private mismatchLineAt = Number.NEGATIVE_INFINITY;
  private saidSlow = false;

  constructor(private readonly logger: Logger) {}

  /** @returns how to end it */
  observe(): () => void {
    return observe({
      bytes: () => perClass(this.bytes),
      turnedAway: () => Object.entries(this.turnedAway).flatMap(([at, counts]) => perClass(counts, { at })),
      mismatches: () => [
        [this.mismatches.healed, { after: 'change' }],
        [this.mismatches.again, { after: 'snapshot' }],
      ],
      slowPath: () => [[fastPathProblem() === null ? 0 : 1]],
    });
  }

  refuse(code: number): void {
    this.refused[code] = (this.refused[code] ?? 0) + 1;
  }

  /** @param channels as it was sent: where the client wanted to go on */
  refuseConnect(code: number, cls: ClientClass, channels: unknown): void {
    this.refuse(code);
    if (code >= 200) return;
    this.turnedAway.connect[cls] += 1;
    // A planned stop sends everybody to a neighbour.
    if (code !== 107 && typeof channels === 'object' && channels !== null)
      this.resumes.refused += Object.values(channels).filter((cursor) => Array.isArray(cursor)).length;
  }

  late(cls: ClientClass, { ms, traceparent }: NonNullable<TickEnd['late']>): void {
    const now = performance.now();
    if (now - this.lateLineAt < LATE_LINE_MS) return;
    this.lateLineAt = now;
    const { traceId } = spanContextOf(traceparent) ?? {};
    this.logger.warn({ class: cls, ms, ...(traceId ? { trace_id: traceId } : {}) }, 'a change was written late');
  }

  /** The second time a snapshot did not help: one of the two sums is wrong, which no client can mend. */
  mismatch(again: boolean, channel: string): void {
    this.mismatches[again ? 'again' : 'healed'] += 1;
    const now = performance.now();
    if (!again || now - this.mismatchLineAt < LATE_LINE_MS) return;
    this.mismatchLineAt = now;
    this.logger.error({ channel: toldName(channel) }, 'a snapshot did not mend a copy: its sum differs again');
  }

  /** Said once: from then on the gauge tells it. */
  lookAtPath(): void {
    const problem = fastPathProblem();
    if (problem === null || this.saidSlow) return;
    this.saidSlow = true;
    this.logger.error({ problem }, 'WebSocket fast path disabled');
  }
}
