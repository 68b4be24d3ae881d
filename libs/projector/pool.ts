import type pg from 'pg';
import { createPool, type PoolOptions } from '#libs/postgres';

/**
 * Rows are looked up by key or by an index, some hundreds at a time, in tables that grow from nothing. Left to itself the planner reads
 * the whole of such a table for each batch until it is far larger than the batch: more of it with every event.
 */
const BY_INDEX = { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' };

/** A batch that takes longer has lost its lease (3 s) long ago. */
const STATEMENT_TIMEOUT_MS = 8_000;

/** Connections into a generation's schema, as a projector reads and writes it. */
export const projectorPool = (options: PoolOptions & { readonly schema: string }): pg.Pool =>
  createPool({ statementTimeoutMs: STATEMENT_TIMEOUT_MS, ...options, pipeline: true, settings: BY_INDEX });
