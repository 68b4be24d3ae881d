/** The doors' ports on a conference in memory: real journal, real fold, real channels; no database. */
import { randomUUID } from 'node:crypto';
import { commandIdOf, encodeCommand, type Journal, type RecordToAppend } from '#libs/event-log';
import type { ConferenceFeed, Feed } from '#libs/feed';
import { outcomeOf } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { ConferenceState } from '../../libs/feed/conference-state.js';
import type { Identity } from '../../src/conference/capability.js';
import { type CommandDoor, createCommandDoor } from '../../src/doors/commands/command-door.js';
import { LagControl } from '../../src/doors/commands/lag-control.js';
import type { KnownOutcome } from '../../src/doors/commands/outcomes.js';
import type { Tokens } from '../../src/doors/tokens/tokens.js';
import { silent } from './silent.js';
import { CONFERENCE, createWorld, type World } from './world.js';

export interface Doors {
  readonly world: World;
  readonly feed: Feed;
  readonly commands: CommandDoor;
  readonly tokens: Tokens;
  /** Fold after each append; off: the replica stays behind. */
  following: boolean;
  /** Age of the replica in milliseconds. */
  age: number;
  /** Whoever waits for the replica to settle meets it as it will be then; off: in vain. */
  settling: boolean;
  /** What happens while an outcome is looked up. */
  whileLooking: (() => Promise<void>) | undefined;
  /** What the next append throws. */
  appendFails: Error | undefined;
  /** Brings the replica up to the store. */
  follow(): Promise<void>;
  readonly appended: () => number;
}

export function createDoors(world: World = createWorld(), lag = new LagControl()): Doors {
  let appended = 0;
  let state: ConferenceState | undefined;
  const journal: Journal = {
    reader: () => world.journal.reader(),
    isDigestOf: (digest, command) => world.journal.isDigestOf(digest, command),
    async append(command) {
      if (doors.appendFails) throw doors.appendFails;
      appended++;
      const answer = await world.journal.append(command);
      if (doors.following) await doors.follow();
      return answer;
    },
  };
  const refresh = (): void => {
    const head = world.store.heads.get(CONFERENCE);
    if (head === undefined) return;
    const after = state?.head ?? -1;
    const documents = [...world.store.documents]
      .map(([name, { version, mark, body }]) => {
        const [conference, channel = '', key = ''] = name.split(' ');
        return {
          conference,
          channel,
          key,
          version,
          mark,
          json: body && JSON.stringify(body),
          traceparent: null,
          appendedAt: 0,
        };
      })
      .filter(({ conference, version }) => conference === CONFERENCE && version > after)
      .sort((a, b) => a.version - b.version);
    if (state) state.apply(documents, head);
    else state = new ConferenceState({ epoch: 'e1', head, floor: 0, documents });
  };
  const feed = feedOn(
    () => state,
    () => doors.age,
    async () => {
      if (doors.settling) await doors.follow();
      return doors.settling;
    },
  );
  const doors: Doors = {
    world,
    feed,
    commands: createCommandDoor({
      feed,
      journal,
      logger: silent,
      lag,
      findOutcome: async (_conference, commandId) => {
        await doors.whileLooking?.();
        return outcomeIn(world, commandId);
      },
    }),
    tokens: memoryTokens(),
    following: true,
    settling: true,
    age: 0,
    whileLooking: undefined,
    appendFails: undefined,
    async follow() {
      await world.fold();
      refresh();
    },
    appended: () => appended,
  };
  return doors;
}

function outcomeIn(world: World, commandId: string): KnownOutcome | null {
  const rows = world.store.rows(CONFERENCE, 'applied_command') as unknown as readonly {
    commandId: string;
    base: number;
    applied: number;
    held: number;
    because: string | null;
    digest: string | null;
    subject: string;
  }[];
  const row = rows.find((one) => one.commandId === commandId);
  return row ? { ...row, outcome: outcomeOf(row) } : null;
}

function feedOn(state: () => ConferenceState | undefined, age: () => number, settled: ConferenceFeed['settled']): Feed {
  const feedOf = (at: ConferenceState): ConferenceFeed => ({
    conference: CONFERENCE,
    get epoch() {
      return at.epoch;
    },
    get head() {
      return at.head;
    },
    get proof() {
      return at.proof;
    },
    age,
    document: (channel, key) => at.document(channel, key),
    documents: (channel) => at.documents(channel),
    lastChange: (channel) => at.lastChange(channel),
    floor: (channel) => at.floor(channel),
    sum: (channel) => at.sum(channel),
    resume: (channel, cursor) => at.resume(channel, cursor),
    changes: (channel, from) => at.changes(channel, from),
    reached: async (offset) => at.head >= offset || ((await settled(0)) && at.head >= offset),
    outcome: async (_commandId, offset) => (at.head >= offset ? null : undefined),
    settled,
    suspect: () => undefined,
    onAdvance: () => () => undefined,
  });
  return {
    async open(conference) {
      const at = conference === CONFERENCE ? state() : undefined;
      return at ? { feed: feedOf(at), release: () => undefined } : 'unknown';
    },
    conferences: async () => (state() ? [CONFERENCE] : []),
    idle: () => 0,
    failure: () => null,
    oldest: age,
    checkPrimary: async () => true,
    wake: () => undefined,
    stats: () => {
      throw new Error('nothing is counted here');
    },
    close: async () => undefined,
  };
}

function memoryTokens(): Tokens {
  const tokens = new Map<string, Identity>();
  const links = new Map<string, Identity>();
  return {
    async issue(identity) {
      const token = randomUUID();
      tokens.set(token, identity);
      return token;
    },
    async verify(token) {
      const identity = tokens.get(token);
      if (!identity) throw new Refusal('unauthenticated');
      const now = Date.now();
      return { id: null, key: null, identity, issuedAt: now, since: now, expiresAt: now + 60_000 };
    },
    known(token) {
      const identity = tokens.get(token);
      const now = Date.now();
      return identity && { id: null, key: null, identity, issuedAt: now, since: now, expiresAt: now + 60_000 };
    },
    async createLink(identity) {
      const code = randomUUID();
      links.set(code, identity);
      return code;
    },
    async redeem(code) {
      const identity = links.get(code);
      if (!identity) throw new Refusal('unknown-code');
      links.delete(code);
      return { identity, createdAt: Date.now(), by: 'test', tokenEndsAt: undefined };
    },
    wasRedeemed: async () => false,
    ticket: () => 'ticket',
    ticketClass: () => null,
    endOf: () => undefined,
    isKnownPerson: async () => false,
    list: async () => ({ tokens: [], acts: [] }),
    revoke: async () => undefined,
    rotateKeys: async () => randomUUID(),
    onChange: () => () => undefined,
    now: Date.now,
    watch: () => () => undefined,
  };
}

/** An event that no door of this program lets through. */
export const recordsOf = (type: string, stream: string): RecordToAppend[] =>
  encodeCommand(
    {
      conference: CONFERENCE,
      commandId: commandIdOf(CONFERENCE, 'somebody', type),
      source: 'test',
      actor: 'somebody',
      actorRole: 'producer',
      events: [{ type, subject: 's1', stream, data: {} }],
    },
    new Map(),
  );
