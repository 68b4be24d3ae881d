import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Keys and names of headers are bytes to Kafka: as text, one with a NUL could not be kept, and was read again for ever. Offsets begin anew
 * in a log that was recreated or accepted anew, so its identity belongs to the place. Nothing else of a letter may be sent again than a
 * whole record.
 */
export class DeadLetters1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table dead_letter alter column key type bytea using convert_to(key, 'UTF8')`);
    await convertNames(runner, 'bytea', 'convert_to');
    await runner.query(`
      alter table dead_letter
        add column log_identity text not null default '',
        add column whole boolean not null default true,
        drop constraint dead_letter_pkey,
        add primary key (topic, partition, "offset", log_identity)`);
    await runner.query('create index dead_letter_found_at on dead_letter (found_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index dead_letter_found_at`);
    await runner.query(`
      delete from dead_letter a using dead_letter b
      where (a.topic, a.partition, a."offset") = (b.topic, b.partition, b."offset") and a.log_identity < b.log_identity`);
    await runner.query(`
      alter table dead_letter
        drop constraint dead_letter_pkey,
        drop column log_identity,
        drop column whole,
        add primary key (topic, partition, "offset")`);
    await runner.query(`alter table dead_letter alter column key type text using convert_from(key, 'UTF8')`);
    await convertNames(runner, 'text', 'convert_from');
  }
}

/** A column's type cannot be changed by a subquery, and an array's elements not without one. */
async function convertNames(runner: QueryRunner, type: string, convert: string): Promise<void> {
  await runner.query(`alter table dead_letter add column names ${type}[]`);
  await runner.query(`
    update dead_letter set names = array(
      select ${convert}(name, 'UTF8') from unnest(header_names) with ordinality as u(name, place) order by place)`);
  await runner.query('alter table dead_letter drop column header_names');
  await runner.query('alter table dead_letter rename column names to header_names');
  await runner.query('alter table dead_letter alter column header_names set not null');
}
