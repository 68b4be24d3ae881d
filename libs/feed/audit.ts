/**
 * Whether a replica holds what the database does. Clients are compared with it by sums; nobody would notice if it were wrong itself: a change
 * it never read, or took in wrongly. Keys, versions and marks are compared, no bodies.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as eventLoop } from 'node:timers/promises';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import type { Held } from './channel-state.js';
import type { FeedReader } from './reader.js';
import type { Replica } from './replica.js';

const AUDIT_EVERY_MS = defineLimit({
  name: 'feed.audit.interval',
  value: 30_000,
  unit: 'ms',
  beyond:
    'one conference in memory is compared with the database in so long, in turn; one that clients find wrong is the next',
});
/** Documents compared before the event loop gets its turn. */
const AT_A_STRETCH = 1_000;

/** A row of `feed_document` without its body. */
export interface StoredMark {
  readonly channel: string;
  readonly key: string;
  readonly version: number;
  readonly mark: string;
  readonly isLiving: boolean;
}

export class Audits {
  readonly #auditedAt = new WeakMap<Replica, number>();
  #next: number;

  constructor(
    private readonly reader: FeedReader,
    private readonly logger: Logger,
    private readonly everyMs = AUDIT_EVERY_MS,
  ) {
    this.#next = performance.now() + everyMs;
  }

  /**
   * The replica whose turn it is, if it differs from what is stored. While nothing else advances it.
   * @throws errors of the database
   */
  async wrongOne(replicas: readonly Replica[], now = performance.now()): Promise<Replica | undefined> {
    if (now < this.#next) return undefined;
    this.#next = now + this.everyMs;
    const replica = this.#inTurn(replicas);
    if (!replica) return undefined;
    this.#auditedAt.set(replica, now);
    replica.isSuspect = false;
    const { conference, head } = replica;
    const channel = await differingChannel(replica, await this.#stored(conference));
    if (channel === undefined) return undefined;
    this.logger.error(
      { conference, head, kind: channel.split('/')[0] },
      'a replica of the feed is wrong; it is read again',
    );
    return replica;
  }

  /** Every document, and tombstones, in one statement. */
  async #stored(conference: string): Promise<readonly StoredMark[]> {
    const rows = await this.reader.select<Omit<StoredMark, 'version'> & { readonly version: string }>(
      (schema) =>
        `select channel, key, version, mark, body is not null as "isLiving" from ${schema}.feed_document where conference = $1`,
      [conference],
    );
    return rows.map((row) => ({ ...row, version: Number(row.version) }));
  }

  /** The one that clients find wrong, else the one whose last turn was longest ago. */
  #inTurn(replicas: readonly Replica[]): Replica | undefined {
    const at = (replica: Replica) => this.#auditedAt.get(replica) ?? Number.NEGATIVE_INFINITY;
    return replicas.find(({ isSuspect }) => isSuspect) ?? [...replicas].sort((a, b) => at(a) - at(b))[0];
  }
}

/** @param stored read after the replica was: what is newer than its head it need not have */
async function differingChannel(replica: Replica, stored: readonly StoredMark[]): Promise<string | undefined> {
  const there = new Set<string>();
  for (const [index, row] of stored.entries()) {
    if (index % AT_A_STRETCH === AT_A_STRETCH - 1) await eventLoop();
    there.add(`${row.channel}\u0001${row.key}`);
    if (row.version <= replica.head && !isSame(replica.held(row.channel, row.key), row)) return row.channel;
  }
  for (const [channel, state] of replica.channels) {
    await eventLoop();
    if (state.sum !== state.recomputedSum()) return channel;
    if (state.living().some(({ key }) => !there.has(`${channel}\u0001${key}`))) return channel;
  }
  return undefined;
}

/** A tombstone may be gone from memory already. */
const isSame = (held: Held | undefined, { version, mark, isLiving }: StoredMark): boolean =>
  isLiving
    ? held !== undefined && held.json !== null && held.version === version && held.mark === mark
    : held === undefined || (held.json === null && held.version === version);
