/**
 * What Hallway needs of a connection: that it is a session of its own. LISTEN, advisory locks, prepared statements and the schema of a
 * generation (search_path, given at the start of a session) are lost or shared where a pooler hands each transaction to another session.
 */
import { Client } from 'pg';

const ANSWER_WITHIN_MS = 10_000;
const PROBE = 'hallway_probe, public';

/** A pooler stands before the database and gives no sessions. */
export class PooledConnection extends Error {
  override readonly name = 'PooledConnection';
}

const WAY_OUT = 'give DATABASE_URL a direct connection: docs/operations.md, "The database"';

/** @throws PooledConnection; the database's and the connection's errors */
export async function assertSessions(url: string): Promise<void> {
  const connect = async () => {
    const client = new Client({
      connectionString: url,
      application_name: 'hallway probe',
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      options: `-c search_path=${PROBE.replace(' ', '')}`,
    });
    client.on('error', () => undefined); // The statement fails with it.
    await client.connect().catch((error: Error) => {
      if (!/unsupported startup parameter/.test(error.message)) throw error;
      throw new PooledConnection(`a connection pooler takes no options of a session; ${WAY_OUT}`);
    });
    clients.push(client);
    return client;
  };
  const clients: Client[] = [];
  try {
    const one = await connect();
    const other = await connect();
    const { rows } = await one.query<{ path: string }>(`select current_setting('search_path') as path`);
    if (rows[0]?.path.replace(/\s/g, '') !== PROBE.replace(' ', ''))
      throw new PooledConnection(`a connection pooler ignores the options of a session; ${WAY_OUT}`);
    const before = await backendOf(one);
    // While the other is in a transaction it has its backend for itself: a session still has its own.
    await other.query('begin');
    const others = await backendOf(other);
    if (others === before || (await backendOf(one)) !== before)
      throw new PooledConnection(`a connection pooler in transaction mode stands before the database; ${WAY_OUT}`);
    await other.query('rollback');
  } finally {
    for (const client of clients) client.end().catch(() => undefined);
  }
}

async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? -1;
}
