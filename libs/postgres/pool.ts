import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from './logger.js';

export interface PoolOptions {
  readonly url: string;
  /** Seen in pg_stat_activity. */
  readonly applicationName: string;
  /** Most connections at one time. Default 10. */
  readonly max?: number;
  /** Longest a statement may run. Default 15 000. */
  readonly statementTimeoutMs?: number;
  /** Longest wait for a connection. Default 5 000. */
  readonly connectionTimeoutMs?: number;
  /** Schema that unqualified names mean, before `public`. */
  readonly schema?: string;
  /** Statements of a transaction may be sent without waiting for the answers of those before them. */
  readonly pipeline?: boolean;
  /** Of each session; names and values of our own, without spaces. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
}

/** Milliseconds that a statement may run, unless its pool says otherwise. */
export const STATEMENT_TIMEOUT_MS = 15_000;
/** Milliseconds that the server has beyond that to say so. Then the connection is taken for half open and thrown away. */
export const ANSWER_MARGIN_MS = 1_000;

/** A pool or a client of it: where a single statement may run. */
export type Queryable = Pick<pg.Pool, 'query'>;

/**
 * Connections to one database. bigint columns come as strings (they may be larger than a JavaScript number); a connection
 * that breaks while idle is dropped and never ends the process. A session that sits in a transaction for 5 s is ended by
 * the server, so that a paused process cannot hold locks. Every statement is answered or fails in time: on a half-open connection
 * neither the server's own limit nor an end of the connection would ever arrive.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = options;
  const settings = {
    ...(options.schema ? { search_path: `${options.schema},public` } : {}),
    ...options.settings,
  };
  const given = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.connectionTimeoutMs ?? 5_000,
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
    pipeline: options.pipeline ?? false,
    ...(given.length > 0 ? { options: given.join(' ') } : {}),
  });
  pool.on('error', (error) => options.logger?.warn({ err: error }, 'an idle database connection broke'));
  endInTime(pool);
  return pool;
}

/** Milliseconds in which the server confirms the end of a pool's connections; then they are destroyed. */
const END_WITHIN_MS = 1_000;

/** A half-open connection never confirms its end: without this a pool could not be closed, and its sockets would keep the process. */
function endInTime(pool: pg.Pool): void {
  const clients = new Set<pg.PoolClient>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  const end = pool.end.bind(pool) as () => Promise<void>;
  pool.end = async () => {
    const late = new AbortController();
    const ended = end().finally(() => late.abort());
    await Promise.race([ended, delay(END_WITHIN_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
    for (const client of clients) socketOf(client).destroy();
    return ended;
  };
}

/** node-postgres has it and does not declare it. */
const socketOf = (client: pg.PoolClient): Socket =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;

/** `name`: planned once per connection. Then the text must always be the same. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Runs `work` inside one transaction; only statements through the client handed down belong to it.
 * @returns what `work` returns, after the commit
 * @throws what `work` or the commit throws; then nothing of it stays, except that a connection lost during the commit
 * leaves the outcome unknown
 */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withTransaction(pool, async (client) => {
    await client.query('begin');
    const result = await work(client);
    committed(await client.query('commit'));
    return result;
  });
}

export interface GuardedTransaction {
  /** One statement without parameters, answered before anything else is sent. */
  readonly guard: string;
  /** Throws if the guard's answer forbids the rest. */
  readonly judge: (rowCount: number | null) => void;
  readonly statements: Iterable<Statement>;
  /** Everything is on its way. */
  readonly onSent?: () => void;
  /** Ends with a rollback: only to learn whether the database takes it. */
  readonly rehearsal?: boolean;
}

/**
 * A transaction that is known beforehand, in two round trips instead of one for each statement: its process has other work between
 * them, and the database would wait. The guard begins it in one message, for if a `begin` sent ahead failed alone, what follows would
 * commit by itself; the commit may go with the rest, for after a failure it is a rollback. Needs a pool with `pipeline`.
 * @throws what `judge` or a statement throws; then nothing of it stays, except that a lost connection leaves the outcome unknown
 */
export async function inTwoTrips(
  pool: pg.Pool,
  { guard, judge, statements, onSent, rehearsal = false }: GuardedTransaction,
): Promise<void> {
  // Whatever cannot be made into a statement throws before anything is sent.
  const rest = Array.from(statements, ({ values, ...statement }) => ({ ...statement, values: [...values] }));
  await withTransaction(pool, async (client) => {
    // Two statements in one message have two results.
    const [, guarded] = (await client.query(`begin; ${guard}`)) as unknown as readonly pg.QueryResult[];
    judge(guarded?.rowCount ?? null);
    const answers = [
      ...rest.map((statement) => client.query(statement)),
      client.query(rehearsal ? 'rollback' : 'commit'),
    ];
    onSent?.();
    const answered = await Promise.all(answers);
    if (!rehearsal) committed(answered.at(-1) as pg.QueryResult);
  });
}

/** What node-postgres says of a statement that was not answered in time. The connection is of no use any more. */
const isUnanswered = (error: unknown): boolean => error instanceof Error && error.message === 'Query read timeout';

/** A failed statement that was swallowed turns the commit into a rollback without an error. */
function committed({ command }: pg.QueryResult): void {
  if (command === 'ROLLBACK') throw new Error('the transaction had failed before its commit and was rolled back');
}

async function withTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return onConnection(pool, async (client, giveUp) => {
    try {
      return await work(client);
    } catch (error) {
      if (isUnanswered(error)) giveUp();
      else await client.query('rollback').catch(giveUp); // The first error says why.
      throw error;
    }
  });
}

/**
 * Several statements on one connection.
 * @param work  calls `giveUp` if the connection is not to be used again
 */
export async function onConnection<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, giveUp: () => void) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  const giveUp = () => {
    broken = true;
  };
  // Unheard, a connection that dies between two statements would end the process; the next statement reports it.
  client.on('error', giveUp);
  try {
    return await work(client, giveUp);
  } finally {
    client.off('error', giveUp);
    client.release(broken);
  }
}
