import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who projects into this generation: its partitions are shared between them. */
export class Membership1700000000105 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table projector (
        owner text primary key,
        since timestamptz not null default clock_timestamp(),
        lease_until timestamptz not null
      ) with (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projector');
  }
}
