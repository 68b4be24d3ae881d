import { Client } from 'pg';

const ANSWER_WITHIN_MS = 3_000;

/** Whether the database answers a new connection in time: what an old connection, or a pool, says proves nothing. Never rejects. */
export async function answers(url: string): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    application_name: 'hallway health',
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  });
  client.on('error', () => undefined); // The query fails with it.
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    client.end().catch(() => undefined); // A half-open connection never confirms its end.
  }
}
