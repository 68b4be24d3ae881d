import type { EventLog } from '#libs/event-log';
import { type Claim, fingerprintOf, LogMismatch } from './checkpoint.js';

/**
 * I4: whether checkpoint and log belong together.
 * @throws LogMismatch; LogUnavailable
 */
export async function verify(log: EventLog, { partition, next, fingerprint }: Claim): Promise<void> {
  const { low, high } = await log.watermarks(partition);
  if (next > high)
    throw new LogMismatch(
      `partition ${partition}: the log ends at ${high}, before the checkpoint ${next}; it was truncated or is another log: docs/runbooks/partition-stopped.md`,
    );
  if (next < low)
    throw new LogMismatch(
      `partition ${partition}: the log begins at ${low}, after the checkpoint ${next}; events are missing: docs/runbooks/partition-stopped.md`,
    );
  if (!fingerprint || next === 0n) return;
  const { records } = await log.read(partition, next - 1n, 1);
  const record = records[0];
  // The record before the checkpoint may be a hidden one (Kafka): then there is nothing to compare.
  if (record?.offset === next - 1n && !fingerprintOf(record).equals(fingerprint)) {
    throw new LogMismatch(
      `partition ${partition}: the record before the checkpoint is not the one that was folded; this is another log`,
    );
  }
}
