import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What outlives a generation of read models: the list of generations, dead letters, events an operator dropped. */
export class Projector1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table generation (
        id int generated always as identity primary key,
        projection_version text not null,
        log_identity text not null,
        schema_name text not null unique,
        state text not null check (state in ('building', 'live', 'retired')),
        created_at timestamptz not null default clock_timestamp(),
        switched_at timestamptz
      )`);
    await runner.query(`create unique index generation_live on generation (state) where state = 'live'`);
    await runner.query(`
      create table dead_letter (
        topic text not null,
        partition int not null,
        "offset" bigint not null,
        reason text not null,
        key text,
        header_names text[] not null,
        header_values bytea[] not null,
        value bytea,
        time timestamptz(3) not null,
        found_at timestamptz not null default clock_timestamp(),
        primary key (topic, partition, "offset")
      )`);
    await runner.query(`
      create table skipped_event (
        conference text not null,
        "offset" bigint not null,
        log_identity text not null,
        by_actor text not null,
        at timestamptz(3) not null,
        primary key (conference, "offset", log_identity)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table skipped_event, dead_letter, generation');
  }
}
