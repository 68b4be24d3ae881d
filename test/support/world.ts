/** A conference in memory: real deciders, real journal, real fold, on the memory log and store. For specs of commands and projections. */
import {
  commandIdOf,
  createJournal,
  createMemoryKeys,
  createMemoryLog,
  type DecodedRecord,
  type EventLog,
  eventIdOf,
  type Journal,
  type LogRecord,
  type NewEvent,
} from '#libs/event-log';
import { createMemoryStore, foldBatch, type MemoryStore, type ProjectionSet, type ReleaseSlice } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { mayCommand } from '../../src/conference/access.js';
import { capabilities } from '../../src/conference/capabilities.js';
import type { CommandSpec, DecisionState, Identity, Role } from '../../src/conference/capability.js';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { stateOf } from '../../src/conference/state.js';

export const CONFERENCE = 'srecon-demo';
export const organizer: Identity = { actor: 'olga', role: 'organizer', conference: '*' };
export const someone = (actor: string, role: Role = 'attendee'): Identity => ({ actor, role, conference: CONFERENCE });

const specs = new Map(
  capabilities.flatMap(({ commands }) => commands).map((spec): [string, CommandSpec] => [spec.type, spec]),
);

export interface World {
  readonly log: EventLog;
  readonly journal: Journal;
  readonly keys: ReturnType<typeof createMemoryKeys>;
  readonly store: MemoryStore;
  /** Decides on the folded state and appends; `ids` of a retry are the same. */
  send(type: string, data: object, by?: Identity, id?: string): Promise<Refusal | readonly string[]>;
  /** Appends without deciding: what a race or another program may bring. */
  append(events: readonly NewEvent[], by?: Identity, id?: string): Promise<readonly string[]>;
  /** Folds all that is new, in batches of these sizes (over and over); default: one batch. */
  fold(sizes?: readonly number[]): Promise<void>;
  document<T>(channel: string, key: string): T | undefined;
  readonly state: DecisionState;
  now: Date;
}

let counter = 0;

export function createWorld(overrides: { readonly set?: ProjectionSet; readonly store?: MemoryStore } = {}): World {
  const log = createMemoryLog({ partitions: 1 });
  const keys = createMemoryKeys();
  const journal = createJournal({ log, catalog, keys });
  const store = overrides.store ?? createMemoryStore();
  const set = overrides.set ?? projectionSet('test');
  const state = stateOf({
    document: (channel, key) => {
      const found = store.documents.get(`${CONFERENCE} ${channel} ${key}`);
      return found?.body ? { body: found.body } : undefined;
    },
    documents: (channel) => {
      const prefix = `${CONFERENCE} ${channel} `;
      return [...store.documents].flatMap(([name, { body }]) =>
        name.startsWith(prefix) && body ? [{ key: name.slice(prefix.length), body }] : [],
      );
    },
  });

  const world: World = {
    log,
    journal,
    keys,
    store,
    state,
    now: new Date('2026-11-23T09:00:00Z'),
    async send(type, input, by = organizer, id = `c${++counter}`) {
      const spec = specs.get(type);
      if (!spec) return new Refusal('unknown-command');
      const parsed = spec.schema.safeParse(input);
      if (!parsed.success)
        return new Refusal('invalid', parsed.error.issues.map(({ path }) => path.join('.')).join(', '));
      const allowed = mayCommand(by, spec, parsed.data, state);
      if (allowed !== 'ok') return allowed;
      const commandId = commandIdOf(CONFERENCE, by.actor, id);
      const decision = spec.decide(parsed.data, {
        conference: CONFERENCE,
        identity: by,
        now: world.now,
        state,
        eventId: (index) => eventIdOf(commandId, index),
      });
      if (decision instanceof Refusal || decision.length === 0) return decision as Refusal | readonly string[];
      return world.append(decision, by, id);
    },
    async append(events, by = organizer, id = `c${++counter}`) {
      const command = {
        conference: CONFERENCE,
        commandId: commandIdOf(CONFERENCE, by.actor, id),
        source: 'test',
        actor: by.actor,
        actorRole: by.role,
        events,
      };
      return (await journal.append(command)).eventIds;
    },
    async fold(sizes = [1_000]) {
      await foldLog({ log, journal, store, set, sizes });
    },
    document: (channel, key) => state.document(channel, key),
  };
  return world;
}

export interface FoldLog {
  readonly log: EventLog;
  readonly journal: Journal;
  readonly store: MemoryStore;
  readonly set: ProjectionSet;
  readonly sizes: readonly number[];
  readonly partition?: number;
  /** How much one slice of a release does. Default: all. */
  readonly release?: ReleaseSlice;
}

/** Folds the rest of a partition as the projector would, never splitting a command. */
export async function foldLog({ log, journal, store, set, sizes, partition = 0, release }: FoldLog): Promise<void> {
  const reader = journal.reader();
  const { records } = await log.read(partition, store.next, 100_000);
  for (let at = 0, turn = 0; at < records.length; turn++) {
    let end = Math.min(records.length, at + Math.max(1, sizes[turn % sizes.length] ?? 1));
    const isSkip = (record?: LogRecord) => record?.headers.get('ce_type')?.toString() === set.skip;
    // A release in slices is a batch by itself.
    const skipAt = release ? records.findIndex((record, index) => index >= at && index < end && isSkip(record)) : -1;
    if (skipAt >= 0) end = Math.max(at + 1, skipAt);
    while (end < records.length && Number(records[end]?.headers.get('ce_index')?.toString() ?? 0) > 0) end++;
    const batch: readonly LogRecord[] = records.slice(at, end);
    const decode = (some: readonly LogRecord[]): Promise<readonly DecodedRecord[]> => reader.decode(partition, some);
    const next = (batch.at(-1)?.offset ?? store.next) + 1n;
    for (let unfinished = true; unfinished; ) {
      const plan = await foldBatch({
        set,
        catalog,
        partition,
        expected: store.next,
        next,
        records: await decode(batch),
        source: store,
        decode,
        isSkipped: store.isSkipped,
        ...(release && isSkip(batch[0]) ? { release } : {}),
      });
      store.apply(plan);
      unfinished = plan.unfinished;
    }
    at = end;
  }
}

/** The whole log again from the start, in batches of these sizes. */
export async function refold(world: World, sizes: readonly number[], set = projectionSet('test')) {
  const store = createMemoryStore();
  await foldLog({ log: world.log, journal: world.journal, store, set, sizes });
  return store;
}

/** Rows and living documents, for comparing two ways to the same end (tombstones are not compared: I3). */
export function contentOf(store: MemoryStore): unknown {
  const engine = ['applied_command', 'actor_outcomes', 'parked_event', 'held_stream'];
  const tables = [
    ...engine,
    ...capabilities.flatMap(({ projections }) => projections.flatMap((one) => one.tables.map(({ name }) => name))),
  ];
  const rows = Object.fromEntries(
    tables.map((table) => [
      table,
      store
        .rows(CONFERENCE, table)
        .map((row) => JSON.stringify(row))
        .sort(),
    ]),
  );
  const documents = [...store.documents].filter(([, { body }]) => body !== null).sort(([a], [b]) => (a < b ? -1 : 1));
  return { rows, documents, heads: [...store.heads], proofs: [...store.proofs] };
}

/** A conference with two rooms and three sessions, s1 and s2 in Hall A, s3 in Hall B; questions open in s1. */
export async function openDemo(world: World): Promise<void> {
  await world.send('open-conference', { title: 'SREcon Demo', timeZone: 'Europe/Dublin' });
  await world.fold();
  await world.send('define-rooms', {
    rooms: [
      { id: 'a', name: 'Hall A', order: 1 },
      { id: 'b', name: 'Hall B', order: 2 },
    ],
  });
  await world.fold();
  for (const [id, room, hour] of [
    ['s1', 'a', 9],
    ['s2', 'a', 10],
    ['s3', 'b', 9],
  ] as const) {
    const at = (minutes: number) => new Date(Date.UTC(2026, 10, 23, hour, minutes)).toISOString();
    await world.send('schedule-session', {
      id,
      title: `Session ${id}`,
      room,
      start: at(0),
      end: at(45),
      speakers: ['A speaker'],
    });
  }
  await world.fold();
  await world.send('open-questions', { session: 's1' });
  await world.fold();
}
