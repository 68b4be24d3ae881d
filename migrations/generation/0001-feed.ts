import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the engine itself writes in every generation. Unqualified: it runs in the generation's schema. */
export class Feed1700000000101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table projection_checkpoint (
        partition int primary key,
        owner text,
        owner_epoch bigint not null default 0,
        lease_until timestamptz not null default '-infinity',
        next_offset bigint not null default 0,
        as_of timestamptz,
        fingerprint bytea,
        missing_keys bigint not null default 0,
        halted text
      ) with (fillfactor = 50)`);
    await runner.query(`
      create table feed_head (
        conference text primary key,
        partition int not null,
        head bigint not null,
        floor bigint not null default -1,
        proof bigint not null default 0
      ) with (fillfactor = 50)`);
    await runner.query(`
      create table feed_history (
        conference text not null, head bigint not null, proof bigint not null,
        primary key (conference, head)
      )`);
    await runner.query(`
      create table feed_document (
        conference text not null,
        channel text not null,
        key text not null,
        version bigint not null,
        body json,
        traceparent text,
        appended_at timestamptz not null,
        mark text not null,
        bucket bigint not null,
        is_tombstone boolean not null,
        primary key (conference, channel, key)
      ) with (fillfactor = 70)`);
    // The tail and the sweep read by these. No index names the version or the body, which change with every write: such an update
    // would never be HOT. The bucket changes once in 256 versions; both columns are filled by the statement that writes.
    await runner.query('create index feed_document_bucket on feed_document (conference, bucket)');
    await runner.query(
      'create index feed_document_tombstone on feed_document (conference, channel, bucket) where is_tombstone',
    );
    await runner.query(`
      create table applied_command (
        conference text not null, command_id uuid not null, base bigint not null,
        applied int not null, held int not null, because text, at timestamptz(3) not null, digest text, subject text not null,
        primary key (conference, command_id)
      )`);
    await runner.query(
      'create table actor_outcomes (conference text not null, actor text not null, list jsonb not null, primary key (conference, actor))',
    );
    await runner.query(`
      create table parked_event (
        conference text not null, "offset" bigint not null, stream text not null, seq int not null, reason text not null, record jsonb not null,
        primary key (conference, "offset")
      )`);
    await runner.query('create index parked_event_stream on parked_event (conference, stream, seq)');
    await runner.query(
      `create table held_stream (
        conference text not null, stream text not null, since timestamptz(3) not null, "offset" bigint not null,
        first int not null, last int not null, releasing bigint, folded boolean not null, touched int not null, rendered int not null,
        primary key (conference, stream)
      )`,
    );
    await runner.query(
      `create table postponed_document (
        conference text not null, releasing bigint not null, seq int not null, channel text not null, key text not null, view int not null,
        primary key (conference, releasing, seq)
      )`,
    );
    await runner.query(
      'create table erased_subject (conference text not null, subject text not null, "offset" bigint not null, primary key (conference, subject))',
    );
    await runner.query(`
      create table window_entry (
        conference text not null, channel text not null, key text not null, kind text not null, seq int not null, evicted boolean not null,
        primary key (conference, channel, key)
      )`);
    await runner.query('create index window_entry_seq on window_entry (conference, channel, kind, seq)');
    await runner.query(
      'create table window_head (conference text not null, channel text not null, kind text not null, entered int not null, primary key (conference, channel, kind))',
    );
    await runner.query(`
      create table audit_entry (
        conference text not null, "offset" bigint not null, at timestamptz(3) not null, type text not null, subject text not null,
        actor text not null, actor_role text not null, reason text, command_id uuid not null, traceparent text, no_effect text,
        data jsonb not null, before jsonb not null, after jsonb not null,
        primary key (conference, "offset")
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table audit_entry, window_head, window_entry, erased_subject, postponed_document, held_stream, parked_event, actor_outcomes,
      applied_command, feed_document, feed_history, feed_head, projection_checkpoint`);
  }
}
