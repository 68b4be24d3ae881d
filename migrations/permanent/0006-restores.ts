import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The part of the epoch that a restore changes, and what shows that there was one. The identity of the embedded log no longer names the
 * cluster and its timeline: log and read models are restored together, so a restore asks for another epoch and not for a rebuild.
 */
export class Restores1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feed_epoch (
        single boolean primary key default true check (single),
        nonce uuid not null default gen_random_uuid(),
        witnesses jsonb not null default '{}'
      )`);
    await runner.query('insert into feed_epoch default values');
    await runner.query(`
      create table restore_event (
        id int generated always as identity primary key,
        noticed_at timestamptz(3) not null default clock_timestamp(),
        seen_by text[] not null
      )`);
    const inPlaceOf = `'pg/' || split_part(log_identity, '/', 4)`;
    await runner.query(`update generation set log_identity = ${inPlaceOf} where log_identity like 'pg/%/%/%'`);
    await runner.query(`
      insert into skipped_event (conference, "offset", log_identity, by_actor, at)
      select conference, "offset", ${inPlaceOf}, by_actor, at from skipped_event where log_identity like 'pg/%/%/%' on conflict do nothing`);
    await runner.query(`delete from skipped_event where log_identity like 'pg/%/%/%'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table restore_event, feed_epoch');
  }
}
