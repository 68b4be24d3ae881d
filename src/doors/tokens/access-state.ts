/** What ends tokens before their time: revocations, withdrawn keys, a restored database. Read by every gateway once a second. */
import type pg from 'pg';
import type { Identity } from '../../conference/capability.js';
import { openKeys, type SigningKey } from './signing-keys.js';

/** Who may hold a token that a restore ends: what was revoked after the backup would be valid again. */
const ENDED_BY_RESTORE: ReadonlySet<string> = new Set(['organizer', 'operator']);

/** Times are milliseconds since 1970. */
export interface TokenFacts {
  readonly id: string | null;
  readonly identity: Identity;
  readonly key: string | null;
  readonly issuedAt: number;
}

interface State {
  readonly now: Date;
  readonly keys: readonly string[];
  readonly restored: Date | null;
  readonly first: string | null;
}

interface RevocationRow {
  readonly id: string;
  readonly token: string | null;
  readonly actor: string | null;
  readonly conference: string;
  readonly revoked_at: Date;
  readonly until: Date;
}

export class AccessState {
  keys: readonly SigningKey[] = [];
  /** Milliseconds that the database's clock is ahead of ours: times of tokens and of their ends are told by one clock. */
  #ahead = 0;
  #last = 0n;
  #restoredAt = Number.NEGATIVE_INFINITY;
  readonly #tokens = new Map<string, number>();
  /** By actor, of each conference (`*`: of all): when, and until when it matters. */
  readonly #actors = new Map<string, { readonly conference: string; readonly at: number; readonly until: number }[]>();
  #refreshing: Promise<boolean> | undefined;

  constructor(private readonly pool: pg.Pool) {}

  now(): number {
    return Date.now() + this.#ahead;
  }

  /** Coalesced: at most one statement is on its way. @returns whether anything changed */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Why a token that is signed and has not run out is not valid; undefined: it is. */
  endedBy({ id, identity, key, issuedAt }: TokenFacts): 'revoked' | 'key' | 'restore' | undefined {
    if (key !== null && !this.keys.some((known) => known.id === key)) return 'key';
    if (id !== null && this.#tokens.has(id)) return 'revoked';
    const { actor, conference, role } = identity;
    const revoked = this.#actors.get(actor)?.some((one) => {
      return issuedAt < one.at && (one.conference === '*' || one.conference === conference);
    });
    if (revoked) return 'revoked';
    return ENDED_BY_RESTORE.has(role) && issuedAt < this.#restoredAt ? 'restore' : undefined;
  }

  async #read(): Promise<boolean> {
    const sent = Date.now();
    const { rows } = await this.pool.query<State>(
      `select clock_timestamp() as now,
              array(select id::text from signing_key where revoked_at is null order by created_at desc, id) as keys,
              (select max(noticed_at) from restore_event) as restored,
              (select max(id) from token_revocation)::text as first`,
    );
    const [state] = rows;
    if (!state) return false;
    this.#ahead = state.now.getTime() - (sent + Date.now()) / 2;
    let changed = false;
    if (state.keys.length === 0 || state.keys.join() !== this.keys.map(({ id }) => id).join()) {
      this.keys = await openKeys(this.pool);
      changed = true;
    }
    const restoredAt = state.restored?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (restoredAt !== this.#restoredAt) {
      this.#restoredAt = restoredAt;
      // Numbers of before the restore may be given again.
      this.#last = 0n;
      changed = true;
    }
    if (state.first !== null && BigInt(state.first) > this.#last) changed = (await this.#readRevocations()) || changed;
    this.#forgetPast();
    return changed;
  }

  async #readRevocations(): Promise<boolean> {
    const { rows } = await this.pool.query<RevocationRow>(
      'select id, token, actor, conference, revoked_at, until from token_revocation where id > $1 order by id',
      [this.#last.toString()],
    );
    for (const { id, token, actor, conference, revoked_at, until } of rows) {
      if (token !== null) this.#tokens.set(token, until.getTime());
      if (actor !== null) {
        const all = this.#actors.get(actor) ?? [];
        all.push({ conference, at: revoked_at.getTime(), until: until.getTime() });
        this.#actors.set(actor, all);
      }
      this.#last = BigInt(id);
    }
    return rows.length > 0;
  }

  /** Tokens that they end have run out meanwhile. */
  #forgetPast(): void {
    const now = this.now();
    for (const [id, until] of this.#tokens) if (until < now) this.#tokens.delete(id);
    for (const [actor, all] of this.#actors) {
      const left = all.filter(({ until }) => until >= now);
      if (left.length === 0) this.#actors.delete(actor);
      else if (left.length < all.length) this.#actors.set(actor, left);
    }
  }
}
