import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Read models of conferences, sessions, questions and access. */
export class Conference1700000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conference (
        conference text primary key, title text not null, time_zone text not null, day_change text not null,
        languages jsonb not null, join_code text not null, state text not null
      )`);
    await runner.query(`
      create table room (
        conference text not null, id text not null, name text not null, display_order int not null, capacity int, floor text,
        "full" boolean not null, primary key (conference, id)
      )`);
    await runner.query(`
      create table session (
        conference text not null, id text not null, room text not null, kind text not null, title text not null, subtitle text,
        abstract text, speakers jsonb not null, track text, language text, url text, state text not null,
        planned_start timestamptz(3) not null, planned_end timestamptz(3) not null, expected_start timestamptz(3),
        actual_start timestamptz(3), actual_end timestamptz(3), because text, delay_reason text, moves jsonb not null, pinned boolean not null, recording text,
        primary key (conference, id)
      )`);
    await runner.query(
      'create table schedule_import (conference text primary key, at timestamptz(3) not null, counts jsonb not null)',
    );
    await runner.query(`
      create table qa (
        conference text not null, session text not null, open boolean not null, mode text not null, frozen boolean not null, taken text,
        waiting int not null, queue double precision not null, dismissed jsonb not null, primary key (conference, session)
      ) with (fillfactor = 70)`);
    await runner.query(`
      create table question (
        conference text not null, id text not null, session text not null, author text not null, text text not null, name text,
        state text not null, votes int not null, because text, actor text, answer text, queued double precision, edited boolean not null,
        reviewed boolean not null, past jsonb not null,
        asked_at timestamptz(3) not null, primary key (conference, id)
      ) with (fillfactor = 70)`);
    await runner.query('create index question_author on question (conference, author, session)');
    await runner.query('create index question_actor on question (conference, actor)');
    await runner.query(`
      create table question_vote (
        conference text not null, question text not null, voter text not null, session text not null,
        primary key (conference, question, voter)
      )`);
    await runner.query('create index question_vote_voter on question_vote (conference, voter, session)');
    await runner.query(
      'create table moderator (conference text not null, moderator text not null, sessions jsonb not null, name text, primary key (conference, moderator))',
    );
    await runner.query(
      'create table erased_person (conference text not null, subject text not null, primary key (conference, subject))',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop table erased_person, moderator, question_vote, question, qa, schedule_import, session, room, conference',
    );
  }
}
