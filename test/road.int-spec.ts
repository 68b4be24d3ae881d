import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandIdOf, encodeCommand } from '#libs/event-log';
import { openDemo, until } from './support/process.js';
import { type Running, startRunning } from './support/running.js';

describe('the road, from a command to a client', () => {
  let running: Running;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  const ask = async (actor: string, text: string) =>
    (
      await (
        await running.as('attendee', actor)
      ).send('ask-question', { session: 's1', text, name: `${actor} the asker` })
    ).subject;

  it('an event reaches a client that follows, as a frame', async () => {
    const client = running.client(await running.token('screen'), ['schedule']);
    await until('the client is live', () => client.status().state === 'live');
    await running.organizer.send('start-session', { session: 's1' });
    await until(
      'the session runs',
      () => (client.documents('schedule').get('session/s1')?.body as { state?: string })?.state === 'running',
    );
  });

  it('I13: the same command over HTTP and over a socket, again and again, acts once and answers the same', async () => {
    const client = running.client(await running.token('attendee', 'ada'), ['me/ada'], 'phone');
    await until('the client is live', () => client.status().state === 'live');
    const data = { session: 's1', text: 'Asked how often?' };
    const first = await client.command('ask-question', data, { id: 'the-same' });
    const again = await client.command('ask-question', data, { id: 'the-same' });
    const ada = await running.as('attendee', 'ada');
    const http = await ada.send('ask-question', data, 'the-same');
    expect([first, again, http]).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
    expect(new Set([first, again, http].map((ack) => ('position' in ack ? ack.position : null))).size).toBe(1);
    await until(
      'it is there once',
      () =>
        ((client.documents('me/ada').get('session/s1')?.body as { questions?: object[] })?.questions?.length ?? 0) ===
        1,
    );
    expect((await ada.get('/v1/conferences/demo/commands/the-same')).body).toMatchObject({ outcome: 'applied' });
  });

  it('I14: an erased person’s texts are nowhere: no column of any schema, no value of the log, after a rebuild neither', async () => {
    const client = running.client(await running.token('screen'), ['session/s1/questions']);
    const question = await ask('mallory', 'a very secret sentence');
    await running.organizer.send('approve-question', { question });
    await until(
      'it is shown',
      () =>
        (client.documents('session/s1/questions').get(`question/${question}`)?.body as { text?: string })?.text ===
        'a very secret sentence',
    );
    expect(await plainText('secret sentence')).not.toEqual([]);
    await running.organizer.send('erase-attendee', { subject: 'mallory' });
    await until(
      'it is blank',
      () =>
        (client.documents('session/s1/questions').get(`question/${question}`)?.body as { text?: string })?.text ===
        '[erased]',
    );
    expect(await plainText('secret sentence')).toEqual([]);
    expect(await plainText('mallory the asker')).toEqual([]);
    const mallory = await running.as('attendee', 'mallory');
    expect(
      (
        await mallory.post('/v1/conferences/demo/commands', {
          id: '1',
          type: 'ask-question',
          data: { session: 's1', text: 'x' },
        })
      ).body,
    ).toMatchObject({ code: 305 });
    await running.another('v1-rebuilt');
    expect(await plainText('secret sentence')).toEqual([]);
  }, 60_000);

  it('I4: an event nobody can fold parks its session for all to see, others go on, and skipping it brings the rest back by itself', async () => {
    const client = running.client(await running.token('screen'), ['schedule', 'session/s2/questions']);
    await until('the client is live', () => client.status().state === 'live');
    const poison = encodeCommand(
      {
        conference: 'demo',
        commandId: commandIdOf('demo', 'elsewhere', 'poison'),
        source: 'test',
        actor: 'elsewhere',
        actorRole: 'producer',
        events: [{ type: 'session-exploded', subject: 's2', stream: 'session/s2', data: {} }],
      },
      new Map(),
    );
    const { offset } = await running.service.store.log.append('demo', poison);
    const held = (channel: string) => client.documents(channel).has('held/session/s2');
    await until('it says "held since"', () => held('schedule') && held('session/s2/questions'));
    const answer = await running.organizer.post('/v1/conferences/demo/commands', {
      id: 'held',
      type: 'cancel-session',
      data: { session: 's2' },
    });
    expect(answer).toMatchObject({ status: 503, body: { code: 105 } });
    expect((await running.organizer.send('mark-room-full', { room: 'b' })).outcome).toBe('applied');
    expect((await running.organizer.send('skip-event', { offset: Number(offset) })).outcome).toBe('applied');
    await until('it is free again', () => !held('schedule') && !held('session/s2/questions'));
    expect((await running.organizer.send('cancel-session', { session: 's2' })).outcome).toBe('applied');
  }, 30_000);

  it('I10: everything a moderator or organizer did is in the audit, with actor and trace of what it changed', async () => {
    const { rows } = await running.database.pool.query(`select schema_name from generation where state = 'live'`);
    const { rows: audit } = await running.database.pool.query(
      `select type, actor, before, after from ${rows[0].schema_name}.audit_entry where conference = 'demo' order by "offset"`,
    );
    expect(audit.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['conference-opened', 'session-started', 'question-approved', 'attendee-erased']),
    );
    expect(audit.find(({ type }) => type === 'session-started')).toMatchObject({
      actor: 'olga',
      before: [{ state: 'scheduled' }],
      after: [{ state: 'running' }],
    });
  });

  /** Every column of every table of every schema that holds this text. */
  async function plainText(needle: string): Promise<string[]> {
    const { pool } = running.database;
    const { rows: columns } = await pool.query<{ s: string; t: string; c: string; bytes: boolean }>(
      `select table_schema s, table_name t, column_name c, udt_name = 'bytea' as bytes from information_schema.columns
       where table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const found: string[] = [];
    for (const { s, t, c, bytes } of columns) {
      const text = bytes ? `encode("${c}", 'escape')` : `"${c}"::text`;
      const { rows } = await pool.query(`select 1 from "${s}"."${t}" where ${text} like $1 limit 1`, [`%${needle}%`]);
      if (rows.length > 0) found.push(`${s}.${t}.${c}`);
    }
    return found;
  }
});

describe('a new projection version', () => {
  it('I4: builds a generation beside the live one and switches; a client connected all along follows by itself, the old projector retires', async () => {
    const running = await startRunning();
    try {
      await openDemo(running.organizer);
      const client = running.client(await running.token('screen'), ['schedule']);
      await until('the client is live', () => client.status().state === 'live');
      const retired = running.service.ended;
      const other = await running.another('v2');
      expect(other.projecting?.generation.schema).not.toBe(running.service.projecting?.generation.schema);
      await running.organizer.send('start-session', { session: 's1' });
      await until(
        'the client sees it',
        () => (client.documents('schedule').get('session/s1')?.body as { state?: string })?.state === 'running',
      );
      await until('the client is live again', () => client.status().state === 'live');
      expect(await retired).toMatch(/taken over/);
    } finally {
      await running.stop();
    }
  }, 60_000);
});
