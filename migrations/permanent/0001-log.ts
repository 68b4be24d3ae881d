import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The embedded log and the keys of data subjects. */
export class Log1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table log_head (
        partition int primary key,
        next_offset bigint not null default 0,
        incarnation uuid not null
      )`);
    await runner.query(`
      create table event_log (
        partition int not null,
        "offset" bigint not null,
        key text not null,
        header_names text[] not null,
        header_values bytea[] not null,
        value bytea,
        time timestamptz(3) not null,
        primary key (partition, "offset")
      )`);
    await runner.query(`
      create table subject_key (
        conference text not null,
        subject text not null,
        key_id uuid not null unique,
        key bytea,
        created_at timestamptz not null default clock_timestamp(),
        erased_at timestamptz,
        primary key (conference, subject)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table subject_key, event_log, log_head');
  }
}
