/** A batch never splits a command: its events are one transaction (I2). */
import type { LogRecord } from '#libs/event-log';

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
