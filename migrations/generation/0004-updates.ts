import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Updates1700000000104 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "update" (
        conference text not null, id text not null, texts jsonb not null, severity text not null, audience jsonb not null,
        expires_at timestamptz(3), url text, sponsor jsonb, drill boolean not null, state text not null, posted_at timestamptz(3) not null,
        changed_at timestamptz(3), confirmed_at timestamptz(3) not null, primary key (conference, id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table "update"');
  }
}
