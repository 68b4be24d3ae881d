// One command into the embedded log: the journal (check, seal, encode, append) beside the bare statement with the values in hand.
import { randomUUID } from 'node:crypto';
import { createJournal, createMemoryKeys, createPostgresLog } from '../dist/libs/event-log/index.js';
import { catalog } from '../dist/src/conference/catalog.js';
import { silent, startDatabase } from './lib/database.mjs';
import { compare } from './lib/rounds.mjs';

/** Senders at a time; each waits for its command before it sends the next, as people do. */
const SENDERS = 16;

const BARE = `with head as (update log_head set next_offset = next_offset + 1 where partition = $1 returning next_offset - 1 as base)
  insert into event_log (partition, "offset", key, header_names, header_values, value, time)
  select $1, head.base, $2, $3::text[], $4::bytea[], $5::bytea, clock_timestamp() from head`;

export async function append({ rounds = 15, commands = 400 } = {}) {
  const database = await startDatabase();
  const pool = database.open(undefined, SENDERS);
  const log = await createPostgresLog({ pool, partitions: 1, logger: silent });
  const journal = createJournal({ log, catalog, keys: createMemoryKeys() });
  const ask = (sender) =>
    journal.append({
      conference: 'bench',
      commandId: randomUUID(),
      source: 'bench',
      actor: `asker-${sender}`,
      actorRole: 'attendee',
      events: [{ type: 'question-asked', stream: 'session/s1', data: { session: 's1', text: 'How do you roll back a model, and who decides?', name: null } }],
    });
  const { position } = await ask(0);
  const [record] = (await log.read(0, position.offset, 1)).records;
  const values = [0, record.key, [...record.headers.keys()], [...record.headers.values()], record.value];
  const bare = () => pool.query({ name: 'bare', text: BARE, values });
  const round = (send) => async () => {
    const at = performance.now();
    await Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
      for (let sent = 0; sent < commands / SENDERS; sent++) await send(sender);
    }));
    return ((performance.now() - at) * 1_000) / commands;
  };
  const result = await compare({ 'the bare statement': round(bare), 'the same again (A/A)': round(bare), 'the journal on the embedded log': round(ask) }, rounds);
  await log.close();
  await database.stop();
  return { senders: SENDERS, result };
}

if (process.argv[1] === import.meta.filename) {
  const { result } = await append({ rounds: Number(process.argv[2] ?? 15) });
  for (const [name, { cost, ratio }] of Object.entries(result)) console.log(`${name.padEnd(34)} ${cost.toFixed(0)} µs/command  ${ratio.toFixed(2)}`);
}
