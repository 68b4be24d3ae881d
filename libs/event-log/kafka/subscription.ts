/** Keeps one member alive: one that kafkajs has given up, or that shows no sign of life, or that joins no more, is rebuilt with a growing pause. */
import type { LogSubscription } from '../port.js';
import { Liveness, type LivenessLimits } from './liveness.js';
import { Member, type MemberOptions } from './member.js';
import { pause } from './pause.js';
import { ReadMarks } from './read-marks.js';

export type SubscriptionOptions = Omit<MemberOptions, 'liveness' | 'onSign' | 'onAlarm' | 'slots' | 'marks'> &
  LivenessLimits;

const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5_000;

export function superviseMember(options: SubscriptionOptions): LogSubscription {
  const { logger } = options;
  const closing = new AbortController();
  const alarms = new Map<string, string>();
  const slots: MemberOptions['slots'] = new Map();
  const marks = new ReadMarks(options.topic, options.group, logger);
  const liveness = new Liveness(options);
  let backoff = BACKOFF_MIN_MS;
  let member: Member | undefined;

  const build = () =>
    new Member({
      ...options,
      slots,
      marks,
      liveness,
      onSign() {
        backoff = BACKOFF_MIN_MS;
      },
      onAlarm(place, reason) {
        if (reason !== null && alarms.get(place) !== reason) logger.error({ topic: options.topic.name }, reason);
        if (reason === null) alarms.delete(place);
        else alarms.set(place, reason);
      },
    });

  async function supervise(): Promise<void> {
    while (!closing.signal.aborted) {
      const one = build();
      member = one;
      const watch = new AbortController();
      // A start that fails ends the member as a crash does; one that hangs ends as a stall.
      const started = one.start().then(
        () => one.ended,
        (error: unknown) => String(error),
      );
      const stalled = liveness.untilStalled(AbortSignal.any([closing.signal, watch.signal]));
      const reason = await Promise.race([started, one.ended, stalled]);
      watch.abort();
      await one.close();
      if (closing.signal.aborted) return;
      logger.warn({ group: options.group, reason }, 'the consumer of the log has ended; building another');
      await pause(backoff, closing.signal);
      backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
    }
  }

  const supervised = supervise().finally(() => marks.close());
  return {
    status: () => ({
      silentMs: liveness.silentMs(),
      alarms: [...alarms.values()],
      assigned: member?.assigned() ?? new Map(),
    }),
    close() {
      closing.abort();
      return supervised;
    },
  };
}
