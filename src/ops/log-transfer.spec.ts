import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { commandIdOf, createMemoryLog, type EventLog, encodeCommand, type LogRecord } from '#libs/event-log';
import { exportConference, importConference } from './log-transfer.js';

const append = async (log: EventLog, conference: string, types: readonly string[], data: object = {}) => {
  const events = types.map((type) => ({ type, subject: conference, stream: null, data: { ...data } }));
  const command = {
    conference,
    commandId: commandIdOf('c', 'a', randomUUID()),
    source: 't',
    actor: 'a',
    actorRole: 'o',
    events,
  };
  const records = encodeCommand(command, new Map());
  return { records, ...(await log.append(conference, records)) };
};
const all = async (log: EventLog, conference: string): Promise<LogRecord[]> => {
  const { records } = await log.read(0, 0n, 1_000);
  return records.filter(({ key }) => key === conference);
};
async function* of(lines: readonly string[]) {
  yield* lines;
}
const exported = async (log: EventLog, conference: string) => {
  const lines: string[] = [];
  for await (const line of exportConference(log, conference)) lines.push(line);
  return lines;
};

describe('moving a conference between logs', () => {
  it('keeps order, ids, event times and bytes; offsets may be others', async () => {
    const from = createMemoryLog({ partitions: 1 });
    await append(from, 'other', ['x']);
    await append(from, 'demo', ['conference-opened', 'room-defined']);
    await append(from, 'other', ['y']);
    await append(from, 'demo', ['session-scheduled']);
    await from.append('demo', [{ headers: new Map(), value: Buffer.from([0, 255]), timestamp: 5 }]);
    const to = createMemoryLog({ partitions: 1 });
    expect(await importConference(to, of(await exported(from, 'demo')))).toEqual({
      conference: 'demo',
      known: 0,
      appended: 4,
    });
    const plain = (records: readonly LogRecord[]) => records.map((record) => ({ ...record, offset: undefined }));
    expect(plain(await all(to, 'demo'))).toEqual(plain(await all(from, 'demo')));
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['no object', Buffer.from('[]')],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ])('case S12: a skip whose data is %s is taken over as it is, and so is what follows it', async (_, value) => {
    const { records } = await append(createMemoryLog({ partitions: 1 }), 'demo', ['event-skipped']);
    const from = createMemoryLog({ partitions: 1 });
    await from.append('demo', [{ headers: records[0]?.headers ?? new Map(), value }]);
    await append(from, 'demo', ['session-scheduled']);
    const to = createMemoryLog({ partitions: 1 });
    expect(await importConference(to, of(await exported(from, 'demo')))).toMatchObject({ appended: 2 });
    expect((await all(to, 'demo'))[0]?.value).toEqual(value);
  });

  it('a skipped event is named by the offset that it has now', async () => {
    const from = createMemoryLog({ partitions: 1 });
    await append(from, 'other', ['x', 'y']);
    const poison = await append(from, 'demo', ['session-exploded']);
    await append(from, 'demo', ['event-skipped'], { offset: Number(poison.offset) });
    const to = createMemoryLog({ partitions: 1 });
    await importConference(to, of(await exported(from, 'demo')));
    const [, skip] = await all(to, 'demo');
    expect(JSON.parse(skip?.value?.toString() ?? '')).toEqual({ offset: 0 });
  });

  it('goes on where it was cut off, leaves repeated events out, and refuses a log that went its own way', async () => {
    const from = createMemoryLog({ partitions: 1 });
    const opened = await append(from, 'demo', ['conference-opened']);
    await append(from, 'demo', ['room-defined']);
    await from.append('demo', opened.records);
    const lines = await exported(from, 'demo');
    expect(lines).toHaveLength(3);
    const to = createMemoryLog({ partitions: 1 });
    await importConference(to, of(lines.slice(0, 2)));
    expect(await importConference(to, of(lines))).toMatchObject({ known: 1, appended: 1 });
    expect(await importConference(to, of(lines))).toMatchObject({ known: 2, appended: 0 });
    await append(to, 'demo', ['room-defined']);
    await expect(importConference(to, of(lines))).rejects.toThrow(/^208 /);
  });

  it.each([
    ['nothing', []],
    ['no JSON', ['{']],
    ['another format', ['{"format":"x"}']],
    ['a line that is none', ['{"format":"hallway-log/1","conference":"demo","log":"l"}', '{"offset":"x"}']],
  ])('refuses %s and appends nothing', async (_, lines) => {
    const to = createMemoryLog({ partitions: 1 });
    await expect(importConference(to, of(lines))).rejects.toThrow(/^20[01] line/);
    expect((await to.watermarks(0)).high).toBe(0n);
  });
});
