/** A batch never splits a command: its events are one transaction (I2). */
import type { LogRecord } from '#libs/event-log';
import type { BatchSize } from './batch-size.js';

/** Whole commands, and where the next batch begins. */
export interface Batch {
  readonly records: readonly LogRecord[];
  readonly next: bigint;
}

const number = (record: LogRecord, header: string): number => {
  const text = record.headers.get(header)?.toString('utf8') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : 0;
};

/** Contiguous records of one command, in order. Records without a readable envelope stand alone. */
export function groupByCommand(records: readonly LogRecord[]): readonly (readonly LogRecord[])[] {
  const groups: LogRecord[][] = [];
  let expectedIndex = -1;
  let command: string | undefined;
  for (const record of records) {
    const id = record.headers.get('ce_commandid')?.toString('utf8');
    const index = number(record, 'ce_index');
    const continues = id !== undefined && id === command && index === expectedIndex && index > 0;
    const group = groups.at(-1);
    if (continues && group) group.push(record);
    else groups.push([record]);
    command = id;
    expectedIndex = index + 1;
  }
  return groups;
}

/** More events of this command are to come than the group holds. */
export function isCut(group: readonly LogRecord[]): boolean {
  const last = group.at(-1);
  return last !== undefined && number(last, 'ce_index') + 1 < number(last, 'ce_count');
}

/** What the record holds and what its headers hold; names of headers are short. */
const bytesOf = ({ value, headers }: LogRecord): number => {
  let bytes = value?.length ?? 0;
  for (const header of headers.values()) bytes += header.length;
  return bytes;
};

/**
 * Whole commands, as many as commit in good time.
 * @param isAlone  this command is a batch by itself
 */
export function* batchesOf(
  groups: readonly (readonly LogRecord[])[],
  { from, end }: { readonly from: bigint; readonly end: bigint },
  size: Pick<BatchSize, 'current' | 'bytes'>,
  isAlone: (group: readonly LogRecord[]) => boolean = () => false,
): Iterable<Batch> {
  let pending: LogRecord[] = [];
  let bytes = 0;
  for (const [index, group] of groups.entries()) {
    pending.push(...group);
    for (const record of group) bytes += bytesOf(record);
    const next = groups[index + 1];
    const following = next?.[0];
    const ends = isAlone(group) || (next && isAlone(next));
    if (following && !ends && pending.length < size.current && bytes < size.bytes) continue;
    yield { records: pending, next: following?.offset ?? end };
    pending = [];
    bytes = 0;
  }
  // Hidden records only: the checkpoint moves over them with the next batch.
  if (groups.length === 0 && end > from) yield { records: [], next: end };
}
