import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Access with an end: tokens of the staff are listed so that they can be named when they are revoked, revocations are read by every
 * gateway, a key can be withdrawn, and a link knows when it was made and how long what it hands out may last at most.
 */
export class AccessEnds1700000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table staff_token (
        id uuid primary key,
        actor text not null,
        role text not null,
        conference text not null,
        label text,
        issued_by text not null,
        issued_at timestamptz(3) not null default clock_timestamp(),
        expires_at timestamptz(3) not null
      )`);
    await runner.query('create index staff_token_actor on staff_token (actor)');
    await runner.query('create index staff_token_expires_at on staff_token (expires_at)');
    await runner.query(`
      create table token_revocation (
        id bigint generated always as identity primary key,
        token uuid,
        actor text,
        conference text not null,
        revoked_at timestamptz(3) not null default clock_timestamp(),
        until timestamptz(3) not null,
        check (num_nonnulls(token, actor) = 1)
      )`);
    await runner.query(`
      create table access_act (
        id bigint generated always as identity primary key,
        at timestamptz(3) not null default clock_timestamp(),
        by_actor text not null,
        act text not null,
        conference text not null,
        subject text not null,
        reason text
      )`);
    await runner.query('alter table signing_key add column revoked_at timestamptz(3)');
    await runner.query(`
      alter table one_time_link
        add column created_at timestamptz(3) not null default clock_timestamp(),
        add column created_by text,
        add column token_ends_at timestamptz(3)`);
    await runner.query('create index one_time_link_expires_at on one_time_link (expires_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index one_time_link_expires_at');
    await runner.query(
      'alter table one_time_link drop column created_at, drop column created_by, drop column token_ends_at',
    );
    await runner.query('alter table signing_key drop column revoked_at');
    await runner.query('drop table access_act, token_revocation, staff_token');
  }
}
