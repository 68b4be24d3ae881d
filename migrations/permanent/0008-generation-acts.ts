import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A generation whose tables were dropped keeps its row: its version is known to be superseded and never takes over by itself. What was
 * done to generations, by whom and when, is kept: the audit of acts that belong to no conference.
 */
export class GenerationActs1700000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table generation drop constraint generation_state_check');
    await runner.query(
      `alter table generation add constraint generation_state_check check (state in ('building', 'live', 'retired', 'dropped'))`,
    );
    await runner.query('alter table generation add column retired_at timestamptz');
    await runner.query(`
      create table generation_act (
        id bigint generated always as identity primary key,
        generation int not null references generation (id),
        act text not null check (act in ('made', 'switched', 'retired', 'dropped', 'asked for')),
        by_actor text not null,
        at timestamptz(3) not null default clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table generation_act');
    await runner.query('alter table generation drop column retired_at');
    await runner.query(`delete from generation where state = 'dropped'`);
    await runner.query('alter table generation drop constraint generation_state_check');
    await runner.query(
      `alter table generation add constraint generation_state_check check (state in ('building', 'live', 'retired'))`,
    );
  }
}
