import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isStorable } from '#libs/protocol';
import { decodeRecord, encodeCommand } from './codec.js';
import { canonicalJson, digestOf } from './digest.js';
import type { Command, EventCatalog, JsonObject } from './envelope.js';
import { commandIdOf, eventIdOf } from './ids.js';
import { createJournal, InvalidEvent, UnstorableEvent } from './journal.js';
import { createMemoryLog } from './memory/memory-log.js';
import { createMemoryKeys, SubjectErased } from './sealing/keys.js';
import { ERASED, eraseFields } from './sealing/seal.js';

const catalog: EventCatalog = new Map([
  [
    'note-written',
    {
      version: 2,
      personal: [
        { path: 'text', subject: 'actor' },
        { path: 'about.name', subject: { path: 'about.id' } },
      ],
      upcasts: { 1: (data: JsonObject) => ({ ...data, upcast: true }) },
      check: (data: unknown) =>
        typeof (data as { text?: unknown }).text === 'string' || (data as { text?: unknown }).text === null
          ? undefined
          : 'text: missing',
    },
  ],
]);

const command = (data: JsonObject, over: Partial<Command> = {}): Command => ({
  conference: 'c',
  commandId: commandIdOf('c', 'ada', '1'),
  source: 'test',
  actor: 'ada',
  actorRole: 'attendee',
  events: [{ type: 'note-written', stream: 's', data }],
  ...over,
});

function setUp() {
  const log = createMemoryLog({ partitions: 1 });
  const keys = createMemoryKeys();
  const journal = createJournal({ log, catalog, keys });
  const records = async () => (await log.read(0, 0n, 1_000)).records;
  const decode = async () => journal.reader().decode(0, await records());
  const stored = async () =>
    (await records()).map(({ value, headers }) => `${value} ${[...headers.values()].join(' ')}`).join('\n');
  return { log, keys, journal, records, decode, stored };
}

describe('the journal', () => {
  it('I13: the ids of a command and its events are the same for every retry, and differ between senders', () => {
    expect(commandIdOf('c', 'ada', '1')).toBe(commandIdOf('c', 'ada', '1'));
    expect(commandIdOf('c', 'ada', '1')).not.toBe(commandIdOf('c', 'bob', '1'));
    expect(eventIdOf(commandIdOf('c', 'ada', '1'), 0)).not.toBe(eventIdOf(commandIdOf('c', 'ada', '1'), 1));
  });

  it.each([
    ['an actor', { actor: 'a'.repeat(600) }],
    ['a conference', { conference: 'c'.repeat(600) }],
  ])(
    'case S1: %s of 600 characters, longer than an index can hold with its neighbours, is not appended',
    async (_, over) => {
      const { journal, records } = setUp();
      await expect(journal.append(command({ text: 't' }, over))).rejects.toThrow(UnstorableEvent);
      expect(await records()).toEqual([]);
    },
  );

  it('case S22: keys are remembered up to a bound; beyond it they are looked up again, and every text is opened', async () => {
    const log = createMemoryLog({ partitions: 1 });
    const keys = createMemoryKeys();
    const asked: string[][] = [];
    const counting = {
      keyFor: keys.keyFor.bind(keys),
      find: (ids: readonly string[]) => {
        asked.push([...ids]);
        return keys.find(ids);
      },
    };
    const journal = createJournal({ log, catalog, keys: counting, maxKeys: 2 });
    for (const actor of ['a', 'b', 'c', 'd', 'e']) await journal.append(command({ text: `of ${actor}` }, { actor }));
    const { records } = await log.read(0, 0n, 10);
    const reader = journal.reader();
    for (let turn = 0; turn < 2; turn++) {
      const decoded = await reader.decode(0, records);
      expect(decoded.map((one) => 'event' in one && one.event.data.text)).toEqual([
        'of a',
        'of b',
        'of c',
        'of d',
        'of e',
      ]);
    }
    expect(asked.map(({ length }) => length)).toEqual([5, 3]);
  });

  it('I14: whatever the texts are, none lies in the log in the clear, and each is read back exactly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', minLength: 4 }).filter(isStorable),
        fc.string({ minLength: 4, maxLength: 20 }).filter(isStorable),
        async (text, name) => {
          const { journal, decode, records } = setUp();
          await journal.append(command({ text, about: { id: 'bob', name } }));
          const [record] = await records();
          const value = JSON.parse(record?.value?.toString() ?? '{}') as { text: unknown; about: { name: unknown } };
          expect(value.text).toHaveProperty('$sealed');
          expect(value.about.name).toHaveProperty('$sealed');
          const [decoded] = await decode();
          expect(decoded && 'event' in decoded && decoded.event.data).toEqual({ text, about: { id: 'bob', name } });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('case S8: what cannot be stored gets past no part of a command into the log, whatever the ways in let through', async () => {
    const { journal, records } = setUp();
    const good = command({ text: 'hello' });
    const [event] = good.events;
    const broken: readonly Partial<Command>[] = [
      { actor: 'a\u0000' },
      { conference: 'c\ud800' },
      { reason: '\udfff' },
      { source: '\u0000' },
      { events: [{ ...event, type: 'note-written', stream: 's\ud800', data: { text: 'x' } }] },
      { events: [{ type: 'note-written', stream: 's', subject: '\u0000', data: { text: 'x' } }] },
      { events: [{ type: 'note-written', stream: 's', data: { text: 'x\ud800' } }] },
      { events: [{ type: 'note-written', stream: 's', data: { text: null, '\ud800': [Number.POSITIVE_INFINITY] } }] },
    ];
    for (const over of broken) await expect(journal.append({ ...good, ...over })).rejects.toThrow(UnstorableEvent);
    expect(await records()).toEqual([]);
  });

  it('I14, case V38: the digest of a command with personal texts confirms no guess of them once the key is emptied', async () => {
    const { journal, keys, decode } = setUp();
    const content = canonicalJson(['write-note', { text: 'hello' }]);
    await journal.append(command({ text: 'hello' }, { content, answer: 'note' }));
    await journal.append(command({ text: null }, { content, commandId: commandIdOf('c', 'ada', '2') }));
    const [sealed, plain] = (await decode()).map((one) => ('event' in one ? one.event : undefined));
    expect(sealed).toMatchObject({ answer: 'note', digest: expect.stringMatching(/^[\w-]{11}$/) });
    expect([sealed?.digest === digestOf(content), plain?.digest === digestOf(content)]).toEqual([false, true]);
    const asked = { conference: 'c', actor: 'ada', content };
    expect(await journal.isDigestOf(sealed?.digest ?? '', asked)).toBe(true);
    expect(await journal.isDigestOf(sealed?.digest ?? '', { ...asked, content: 'other' })).toBe(false);
    keys.erase('c', 'ada');
    expect(await journal.isDigestOf(sealed?.digest ?? '', asked)).toBe(false);
    expect(await journal.isDigestOf(plain?.digest ?? '', asked)).toBe(true);
    expect(canonicalJson({ b: 1, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":1}');
  });

  it('I14: an emptied key reads as erased; a key without a row too, and is counted', async () => {
    const { journal, keys, decode, records } = setUp();
    await journal.append(command({ text: 'hello there', about: { id: 'bob', name: 'Bob' } }));
    keys.erase('c', 'ada');
    const [decoded] = await decode();
    expect(decoded).toMatchObject({ event: { data: { text: ERASED, about: { name: 'Bob' } }, missingKeys: 0 } });
    const elsewhere = createJournal({ log: createMemoryLog({ partitions: 1 }), catalog, keys: createMemoryKeys() });
    expect((await elsewhere.reader().decode(0, await records()))[0]).toMatchObject({
      event: { data: { text: ERASED }, missingKeys: 2 },
    });
    await expect(journal.append(command({ text: 'again', about: null }))).rejects.toThrow(SubjectErased);
  });

  it('I14: a sealed value that was moved to another event is not opened', async () => {
    const { log, journal, records, decode } = setUp();
    await journal.append(command({ text: 'mine' }));
    const [first] = await records();
    await journal.append(command({ text: 'other' }, { commandId: commandIdOf('c', 'ada', '2') }));
    const second = (await records())[1];
    if (!first || !second) throw new Error('nothing was appended');
    await log.append('c', [{ headers: second.headers, value: first.value }]);
    expect((await decode())[2]).toMatchObject({
      failure: { kind: 'unfoldable', reason: 'text was not sealed for this event' },
    });
  });

  it('I14: a personal field that is not a text is refused, not stored in the clear', async () => {
    const { journal } = setUp();
    await expect(journal.append(command({ text: 'x', about: { id: 'bob', name: ['Bob'] } }))).rejects.toThrow(
      InvalidEvent,
    );
  });

  it('I14: fields of one subject are blanked, of others not', () => {
    const type = catalog.get('note-written');
    if (!type) throw new Error('no type');
    const event = { actor: 'ada', data: { text: 't', about: { id: 'bob', name: 'n' } } };
    expect(eraseFields(event, 'bob', type).data).toEqual({ text: 't', about: { id: 'bob', name: ERASED } });
    expect(eraseFields(event, 'ada', type).data).toEqual({ text: ERASED, about: { id: 'bob', name: 'n' } });
  });

  it('brings old versions up to date, parks newer and unknown ones, and dead-letters what has no envelope', () => {
    const [record] = encodeCommand(command({ text: null }), catalog);
    if (!record) throw new Error('nothing encoded');
    const stored = (headers: Record<string, string>, value = record.value) => ({
      offset: 0n,
      key: 'c',
      timestamp: 0,
      value,
      headers: new Map([
        ...record.headers,
        ...Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
      ]),
    });
    expect(decodeRecord(stored({ ce_dataschema: 'hallway:note-written/1' }), 0, catalog)).toMatchObject({
      data: { upcast: true },
    });
    expect(decodeRecord(stored({ ce_dataschema: 'hallway:note-written/3' }), 0, catalog)).toMatchObject({
      kind: 'unfoldable',
      reason: expect.stringContaining('newer'),
    });
    expect(decodeRecord(stored({ ce_type: 'what' }), 0, catalog)).toMatchObject({
      kind: 'unfoldable',
      reason: 'unknown event type',
    });
    expect(decodeRecord(stored({ ce_specversion: '0.3' }), 0, catalog)).toMatchObject({ kind: 'unreadable' });
    expect(decodeRecord(stored({}, Buffer.from('['.repeat(50_000))), 0, catalog)).toMatchObject({ kind: 'unfoldable' });
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('ce_id', 'ce_type', 'ce_dataschema', 'ce_index', 'ce_count', 'x'),
          fc.uint8Array(),
        ),
        fc.option(fc.uint8Array()),
        fc.double(),
        (headers, value, timestamp) => {
          const map = new Map(Object.entries(headers).map(([name, bytes]) => [name, Buffer.from(bytes)]));
          expect(
            decodeRecord(
              { offset: 0n, key: 'c', headers: map, value: value && Buffer.from(value), timestamp },
              0,
              catalog,
            ),
          ).toHaveProperty('kind');
        },
      ),
    );
  });
});
