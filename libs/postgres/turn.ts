/** Processes that do something once, one after the other: an advisory lock on a connection of its own, gone with its holder. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

/** How often a turn that another process has is asked for. */
const ASK_EVERY_MS = 100;
/** A connection that answers nothing for so long is given up. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * Waits for the turn as long as another process has it; each try is answered in time, for a lock that is waited for in the server cannot
 * be told from a connection that is half open.
 * @param number of the lock, the same in all processes
 * @throws the database's error; errors of a connection that breaks or answers nothing
 */
export async function inDatabaseTurn<T>(
  url: string,
  number: bigint,
  work: (client: Pick<Client, 'query'>) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: 'hallway turn',
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    keepAlive: true,
  });
  // A broken connection also fails the query in hand; without a listener the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (;;) {
      const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [number]);
      if (rows[0]?.got) return await work(client);
      await delay(ASK_EVERY_MS);
    }
  } finally {
    client.end().catch(() => undefined); // A half-open connection never confirms its end.
  }
}
