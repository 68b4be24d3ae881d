/**
 * D3: the ways out that do not wait for the projector. A partition that stands still folds no event, so dropping one, or erasing a person,
 * is written beside the log first; the event that says so follows and is folded when the partition goes on (docs/adr/0011).
 */
import { commandIdOf, type EventLog, type Journal } from '#libs/event-log';
import type { Queryable } from '#libs/postgres';
import { liveGeneration } from '#libs/projector';

export interface WayOut {
  readonly pool: Queryable;
  readonly log: EventLog;
  readonly journal: Journal;
}

export interface By {
  readonly actor: string;
  readonly reason?: string;
}

/** 2xx: what was asked for is not there; nothing was changed. */
export class WayOutRefused extends Error {
  override readonly name = 'WayOutRefused';
}

/**
 * The event is folded by no build any more: what is done with it at its place is nothing. Idempotent.
 * @returns the conference it belongs to
 * @throws WayOutRefused; LogUnavailable: the event is dropped, and the drop is not in the log yet: repeat it
 */
export async function dropEvent(
  { pool, log, journal }: WayOut,
  { partition, offset }: { readonly partition: number; readonly offset: bigint },
  by: By,
): Promise<string> {
  if (partition >= log.partitions) throw new WayOutRefused(`209 there is no partition ${partition}`);
  const { low, high } = await log.watermarks(partition);
  const inLog = offset >= low && offset < high;
  const [record] = inLog ? (await log.read(partition, offset, 1)).records : [];
  if (record?.offset !== offset) throw new WayOutRefused(`209 there is no event at ${partition}/${offset}`);
  const conference = record.key;
  // What has no conference has no envelope: it is a dead letter already.
  if (!conference) throw new WayOutRefused(`208 the record at ${partition}/${offset} names no conference`);
  await pool.query(
    `insert into skipped_event (conference, "offset", log_identity, by_actor, at) values ($1, $2, $3, $4, clock_timestamp())
     on conflict do nothing`,
    [conference, offset.toString(), await log.identity(), by.actor],
  );
  await journal.append({
    ...commandOf(conference, by, `skip ${partition}/${offset}`),
    events: [{ type: 'event-skipped', subject: conference, stream: null, data: { offset: Number(offset) } }],
  });
  return conference;
}

/**
 * Empties the key at once: from then on nothing in the log, in backups of it or in dead letters can be read. Rows and documents follow when
 * the event is folded. Idempotent, also with `erase-attendee`.
 * @throws WayOutRefused; LogUnavailable: the key is empty, and the erasure is not in the log yet: repeat it
 */
export async function eraseAtOnce({ pool, journal }: WayOut, conference: string, subject: string, by: By) {
  if (!(await isKnown(pool, conference))) throw new WayOutRefused(`202 there is no conference ${conference}`);
  await pool.query(
    `insert into subject_key (conference, subject, key_id, key, erased_at) values ($1, $2, gen_random_uuid(), null, clock_timestamp())
     on conflict (conference, subject) do update set key = null, erased_at = coalesce(subject_key.erased_at, excluded.erased_at)`,
    [conference, subject],
  );
  await journal.append({
    ...commandOf(conference, by, `erase ${subject}`),
    events: [{ type: 'attendee-erased', subject, stream: null, data: { subject } }],
  });
}

const commandOf = (conference: string, { actor, reason }: By, id: string) => ({
  conference,
  commandId: commandIdOf(conference, actor, id),
  source: 'hallway/cli',
  actor,
  actorRole: 'operator',
  ...(reason ? { reason } : {}),
});

/** It may not be folded yet, where its partition stands still: then somebody's key may tell. */
async function isKnown(pool: Queryable, conference: string): Promise<boolean> {
  const keys = await pool.query('select from subject_key where conference = $1 limit 1', [conference]);
  if (keys.rowCount === 1) return true;
  const live = await liveGeneration(pool);
  if (!live) return false;
  const heads = await pool.query(`select from ${live.schema}.feed_head where conference = $1`, [conference]);
  return heads.rowCount === 1;
}
