/**
 * Which part of the partitions is this process's: those who project into a generation share them evenly, and know of each other by
 * leases in Postgres. Only the balance rests on it; that one writes at a time rests on the checkpoint (I1).
 */
import type { Logger, Queryable } from '#libs/postgres';
import { LEASE_SECONDS } from './checkpoint.js';

export interface MembershipOptions {
  readonly db: Queryable;
  readonly owner: string;
  readonly partitions: number;
  readonly logger: Logger;
  /** With each beat; synchronous, must not throw. */
  readonly onShare: (share: number) => void;
}

const BEAT_MS = 500;
/** Whoever has not read the log for so long leaves its share to those who can. */
const BLIND_MS = 2_000;

export class Membership {
  #share: number | undefined;
  #signAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #ended = false;

  constructor(private readonly options: MembershipOptions) {}

  /** The log has just been read, or offers partitions: this process can take its part. The first sign makes it a member. */
  sign(): void {
    this.#signAt = performance.now();
    if (this.#timer || this.#ended) return;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#beat();
  }

  /** How many partitions are this process's. @throws Error while that is not known: the database does not answer */
  async share(): Promise<number> {
    this.sign();
    if (this.#share === undefined) await this.#beating;
    if (this.#share === undefined) throw new Error('who else projects is not known yet');
    return this.#share;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** It has no share from now on; the others take it over without waiting for its lease. Never throws. */
  async leave(): Promise<void> {
    const { db, owner, logger } = this.options;
    this.#ended = true;
    this.#share = 0;
    clearInterval(this.#timer);
    await this.#beating;
    await db
      .query('delete from projector where owner = $1', [owner])
      .catch((err: unknown) => logger.warn({ err }, 'the membership was not given up; it will run out'));
  }

  #beat(): void {
    if (this.#beating || performance.now() - this.#signAt > BLIND_MS) return;
    this.#beating = this.#renew()
      .catch((err: unknown) => this.options.logger.debug({ err }, 'the membership was not renewed'))
      .finally(() => {
        this.#beating = undefined;
      });
  }

  async #renew(): Promise<void> {
    const { db, owner, partitions, onShare } = this.options;
    const { rows } = await db.query<{ members: number; older: number }>(
      `with gone as (
         delete from projector where owner in
           (select owner from projector where owner <> $1 and lease_until < clock_timestamp() - interval '1 minute' for update skip locked)),
       me as (
         insert into projector (owner, lease_until) values ($1, clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}))
         on conflict (owner) do update set lease_until = excluded.lease_until
         returning owner, since)
       select 1 + count(other.owner)::int as members,
              count(other.owner) filter (where (other.since, other.owner) < (me.since, me.owner))::int as older
       from me left join projector other on other.owner <> me.owner and other.lease_until > clock_timestamp()`,
      [owner],
    );
    if (this.#ended) return;
    const { members = 1, older = 0 } = rows[0] ?? {};
    this.#share = shareOf(partitions, members, older);
    onShare(this.#share);
  }
}

/** What is left over goes to the eldest, so that whoever joins moves as few partitions as can be. */
export const shareOf = (partitions: number, members: number, older: number): number =>
  Math.floor(partitions / members) + (older < partitions % members ? 1 : 0);
