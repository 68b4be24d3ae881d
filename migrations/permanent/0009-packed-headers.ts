import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Headers as bytes (libs/event-log/postgres/packed-headers.ts). What was written before stays as it is, and is read as before. */
export class PackedHeaders1700000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table event_log add column headers bytea');
    await runner.query('alter table event_log alter column header_names drop not null');
    await runner.query('alter table event_log alter column header_values drop not null');
  }

  /** Only while nothing was packed: there is no way back for what was. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table event_log alter column header_names set not null');
    await runner.query('alter table event_log alter column header_values set not null');
    await runner.query('alter table event_log drop column headers');
  }
}
