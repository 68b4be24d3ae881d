import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partitionOf } from '#libs/event-log';
import { liveGeneration } from '#libs/projector';
import { api, openDemo, until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';

const SOURCE = 'venue-system';
const TYPE = 'application/cloudevents+json';

describe('CloudEvents of other programs over HTTP', () => {
  let running: Running;
  let token: string;
  let counter = 0;

  const post = async (headers: Record<string, string>, body: string, as = token, conference = 'demo') => {
    const response = await fetch(`${running.service.url}/v1/conferences/${conference}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${as}`, ...headers },
      body,
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const event = (type: string, data: unknown, over: object = {}) =>
    JSON.stringify({ specversion: '1.0', id: `e${++counter}`, source: SOURCE, type, data, ...over });
  const postTo = (conference: string, body: string) => post({ 'content-type': TYPE }, body, token, conference);
  const structured = (body: string, as?: string) => post({ 'content-type': TYPE }, body, as);
  const schedule = async () => {
    const { body } = await running.organizer.get('/v1/conferences/demo/channels/schedule');
    return new Map(
      (body.entries as [string, number, Record<string, unknown>][]).map(([key, , document]) => [key, document]),
    );
  };

  beforeAll(async () => {
    running = await startRunning({
      environment: { HALLWAY_PRODUCERS: `{"${SOURCE}":["*"],"doors":["room-filled-up"]}` },
    });
    await openDemo(running.organizer);
    token = await running.token('producer', SOURCE);
  }, 60_000);

  afterAll(() => running?.stop());

  it('a structured event is decided, appended and shown; sent again it acts once (I13)', async () => {
    const body = event('session-started', { session: 's1' });
    const first = await structured(body);
    expect(first).toMatchObject({ status: 200, body: { outcome: 'applied', subject: 's1' } });
    expect((await schedule()).get('session/s1')).toMatchObject({ state: 'running' });
    const { position, outcome } = first.body;
    expect(await structured(body)).toMatchObject({ status: 200, body: { position, outcome } });
    expect((await running.organizer.get('/v1/conferences/demo/audit?subject=s1&limit=1')).body).toMatchObject({
      entries: [{ position }],
    });
  });

  it('a binary event is, too', async () => {
    const answer = await post(
      {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'b1',
        'ce-source': SOURCE,
        'ce-type': 'room-filled-up',
      },
      '{"room":"a"}',
    );
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'applied' } });
    await until('the room is full', async () => (await schedule()).get('room/a')?.full === true);
  });

  it('a question is asked for a person of the producer’s own, who can be erased', async () => {
    const body = event('question-asked', { session: 's1', text: 'From another app' }, { actor: 'u7' });
    const asked = await structured(body);
    expect(asked.status).toBe(200);
    // The same source and id for somebody else is no retry.
    expect(await structured(body.replace('u7', 'u8'))).toMatchObject({ status: 409, body: { code: 213 } });
    expect((await structured(body)).body).toEqual(asked.body);
    await running.organizer.send('approve-question', { question: asked.body.subject as string });
    await running.organizer.send('erase-attendee', { subject: `${SOURCE}#u7` });
    const shown = await running.organizer.get('/v1/conferences/demo/channels/session/s1/questions');
    expect(JSON.stringify(shown.body)).not.toContain('From another app');
  });

  it('case V38: an event or command whose id was used for something else is refused over HTTP, and nothing happens', async () => {
    const first = event('room-filled-up', { room: 'b' }, { id: 'v38' });
    const asked = await structured(first);
    expect(asked.body).toMatchObject({ outcome: 'applied', subject: 'b' });
    for (const other of [event('room-freed-up', { room: 'b' }, { id: 'v38' }), first.replace('"b"', '"a"')])
      expect(await structured(other)).toMatchObject({ status: 409, body: { code: 213 } });
    expect((await structured(first)).body).toEqual(asked.body);
    const amend = (title: string) =>
      running.organizer.post('/v1/conferences/demo/commands', {
        id: 'v38',
        type: 'amend-session',
        data: { session: 's2', title },
      });
    const amended = await amend('One');
    expect(amended).toMatchObject({ status: 200, body: { outcome: 'applied', subject: 's2' } });
    expect(await amend('Two')).toMatchObject({ status: 409, body: { code: 213 } });
    expect((await amend('One')).body).toEqual(amended.body);
    expect((await schedule()).get('session/s2')).toMatchObject({ title: 'One' });
    expect((await schedule()).get('room/b')).toMatchObject({ full: true });
  });

  it('what may not come in is refused with its number, and changes nothing', async () => {
    const before = await running.organizer.get('/readyz');
    const good = { session: 's1' };
    const doors = await running.token('producer', 'doors');
    const cases: [what: string, answer: Promise<{ body: Record<string, unknown> }>, code: number][] = [
      ['garbage', structured('{'), 200],
      ['no CloudEvent', post({ 'content-type': 'application/json' }, '{}'), 200],
      ['no id', structured(event('session-ended', good, { id: undefined })), 200],
      [
        'a batch',
        post({ 'content-type': 'application/cloudevents-batch+json' }, `[${event('session-ended', good)}]`),
        200,
      ],
      ['an unknown type', structured(event('session-vanished', good)), 211],
      ['a newer version', structured(event('session-ended', good, { dataschema: 'hallway:session-ended/2' })), 212],
      ['no data', structured(event('session-ended', undefined)), 201],
      ['wrong data', structured(event('session-ended', { session: 5 })), 201],
      ['an act of moderation', structured(event('question-approved', { question: 'q' })), 302],
      ['another source', structured(event('session-ended', good, { source: 'doors' })), 302],
      [
        'a type that this source may not send',
        structured(event('session-ended', good, { source: 'doors' }), doors),
        302,
      ],
      ['a person', structured(event('session-ended', good), await running.token('attendee')), 302],
      ['a rule says no', structured(event('session-ended', { session: 's2' })), 208],
      ['an actor that is none', structured(event('session-ended', good, { actor: 'x'.repeat(100) })), 201],
      ['an actor that is no text', structured(event('session-ended', good, { actor: { toString: 1 } })), 201],
      ['an actor that is a number', structured(event('session-ended', good, { actor: 7 })), 201],
      ['an actor with a NUL', structured(event('session-ended', good, { actor: 'a\u0000b' })), 201],
      ['a text with a NUL', structured(event('question-asked', { ...good, text: 'a\u0000b' })), 201],
      ['a key of the data with a NUL', structured(event('session-ended', { 'a\u0000b': 1 })), 201],
      ['a source with a NUL', structured(event('session-ended', good, { source: 'a\u0000b' })), 200],
      ['a conference with a NUL', postTo('de%00mo', event('session-ended', good)), 200],
      ['a schema that is no text', structured(event('session-ended', good, { dataschema: { toString: 1 } })), 200],
      ['too large', structured(event('question-asked', { session: 's1', text: 'x'.repeat(70_000) })), 205],
    ];
    for (const [what, answer, code] of cases) expect([what, (await answer).body.code]).toEqual([what, code]);
    expect((await running.organizer.get('/readyz')).status).toBe(before.status);
  });

  it('one for a conference that was opened a moment ago, and is not folded yet, waits for it', async () => {
    const { tokens, store } = running.service;
    const conference = 'brand-new';
    const producer = await tokens.issue({ actor: SOURCE, role: 'producer', conference }, 60);
    const organizer = api(
      () => running.service.url,
      await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 60),
      conference,
    );
    const live = await liveGeneration(store.pool);
    const holder = await store.pool.connect();
    await holder.query(`begin; select from ${live?.schema}.projection_checkpoint for update`);
    const opening = organizer.send('open-conference', { title: 'Brand new', timeZone: 'Europe/Berlin' });
    const partition = partitionOf(conference, store.log.partitions);
    const { high } = await store.log.watermarks(partition);
    await until('it is in the log', async () => (await store.log.watermarks(partition)).high > high);
    const sent = post({ 'content-type': TYPE }, event('room-filled-up', { room: 'a' }), producer, conference);
    const never = await tokens.issue({ actor: SOURCE, role: 'producer', conference: 'never-opened' }, 60);
    const unheard = post({ 'content-type': TYPE }, event('room-filled-up', { room: 'a' }), never, 'never-opened');
    // They have come, and look for their conferences again and again.
    const looks = () => {
      const { statements, polls } = running.service.feed.stats();
      return statements - polls;
    };
    const before = looks();
    await until('they wait', () => looks() > before + 5);
    await holder.query('commit');
    holder.release();
    expect((await opening).outcome).toBe('applied');
    // It is known that there is no such room, not that there is no such conference.
    expect(await sent).toMatchObject({ body: { code: 209 } });
    expect(await unheard).toMatchObject({ body: { code: 202 } });
  });

  it('case H4: while the projection stands still, an event waits for the one before it and is decided on what that did', async () => {
    const { store } = running.service;
    const room = async () => (await schedule()).get('room/b')?.full;
    await structured(event('room-freed-up', { room: 'b' }));
    expect(await room()).toBe(false);
    const live = await liveGeneration(store.pool);
    const holder = await store.pool.connect();
    await holder.query(`begin; select from ${live?.schema}.projection_checkpoint for update`);
    const first = await structured(event('room-filled-up', { room: 'b' }));
    expect(first).toMatchObject({ status: 202, body: { outcome: 'pending' } });
    const second = structured(event('room-freed-up', { room: 'b' }));
    await holder.query('commit');
    holder.release();
    expect((await second).body).toMatchObject({ outcome: 'applied', subject: 'b' });
    expect(Number((await second).body.position)).toBeGreaterThan(Number(first.body.position));
    expect(await room()).toBe(false);
  });

  it('case V50: an event with text that cannot be stored is refused by its field’s name; a broken trace context is not', async () => {
    const freed = (over: object) => structured(event('room-freed-up', { room: 'a' }, over));
    for (const field of ['id', 'actor'])
      expect(await freed({ [field]: 'a\u0000b' })).toMatchObject({
        status: 422,
        body: { code: 201, detail: expect.stringContaining(`: ${field}: `) },
      });
    expect(await freed({ traceparent: '\u0000' })).toMatchObject({ status: 200 });
  });

  it('a producer’s token opens no command door', async () => {
    const producer = await running.as('producer', SOURCE);
    const { body } = await producer.post('/v1/conferences/demo/commands', {
      id: 'c1',
      type: 'end-session',
      data: { session: 's1' },
    });
    expect(body).toMatchObject({ code: 302 });
    expect((await schedule()).get('session/s1')).toMatchObject({ state: 'running' });
  });
});
