import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which Kafka topic this database's read models were folded from. */
export class Kafka1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table pinned_topic (
        topic text primary key,
        cluster_id text not null,
        topic_id text not null,
        partitions int not null,
        begins bigint[] not null,
        incarnation int not null default 0,
        group_prefix text not null default 'hallway-' || left(gen_random_uuid()::text, 8),
        pinned_at timestamptz not null default clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table pinned_topic');
  }
}
