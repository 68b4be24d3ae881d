import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that sign tokens, and links that hand one out once. */
export class Access1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create table signing_key (id uuid primary key, private_jwk jsonb not null, created_at timestamptz not null default clock_timestamp())',
    );
    await runner.query(`
      create table one_time_link (
        code_hash bytea primary key,
        role text not null,
        conference text not null,
        actor text not null,
        expires_at timestamptz not null,
        used_at timestamptz
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table one_time_link, signing_key');
  }
}
