import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Discussions1700000000103 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table discussion (
        conference text not null, session text not null, open boolean not null, topic text not null, count int not null,
        posted int not null, primary key (conference, session)
      ) with (fillfactor = 70)`);
    await runner.query(`
      create table discussion_message (
        conference text not null, id text not null, session text not null, author text not null, text text not null, name text,
        state text not null, because text, actor text, edited boolean not null, question text, posted_at timestamptz(3) not null,
        seq int not null, primary key (conference, id)
      )`);
    await runner.query('create index discussion_message_author on discussion_message (conference, author)');
    await runner.query('create index discussion_message_seq on discussion_message (conference, session, seq)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table discussion_message, discussion');
  }
}
