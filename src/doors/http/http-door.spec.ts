import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDoors, type Doors } from '../../../test/support/doors.js';
import { generatedJson } from '../../../test/support/generated-schedule.js';
import { type Asking, type HttpDoor, openHttpDoor } from '../../../test/support/http-door.js';
import { CONFERENCE, openDemo, organizer, someone } from '../../../test/support/world.js';
import { LagControl } from '../commands/lag-control.js';

const HERE = `/v1/conferences/${CONFERENCE}`;

describe('the HTTP door', () => {
  let doors: Doors;
  let door: HttpDoor;
  const call: HttpDoor['call'] = (path, asking) => door.call(path, asking);

  beforeAll(async () => {
    doors = createDoors();
    await openDemo(doors.world);
    await doors.world.send('define-rooms', { rooms: [{ id: 'z', name: 'Attic' }] });
    await doors.follow();
    door = await openHttpDoor(doors);
  });
  afterAll(() => door.close());

  it('takes a command, answers 200 with its outcome, and tells it again later', async () => {
    const message = { id: 'h1', type: 'ask-question', data: { session: 's1', text: 'Why?' } };
    const { status, json } = await call(`${HERE}/commands`, { by: someone('ann'), body: message });
    expect({ status, json }).toMatchObject({ status: 200, json: { outcome: 'applied', position: expect.any(Number) } });
    const later = await call(`${HERE}/commands/h1`, { by: someone('ann') });
    expect(later.json).toEqual(json);
  });

  it('answers 202 while the outcome is not known', async () => {
    doors.following = false;
    const message = { id: 'h2', type: 'ask-question', data: { session: 's1', text: 'When?' } };
    const { status, json } = await call(`${HERE}/commands`, { by: someone('ann'), body: message });
    expect({ status, json }).toMatchObject({ status: 202, json: { outcome: 'pending' } });
    doors.following = true;
    await doors.follow();
  });

  it('I11: every failure is a numbered problem', async () => {
    const ann = someone('ann');
    const cases: readonly [string, Asking, number, number][] = [
      ['/nowhere', {}, 404, 209],
      [`${HERE}/commands`, { body: {} }, 401, 300],
      [`${HERE}/commands`, { body: '{"id":', by: ann }, 400, 200],
      [`${HERE}/commands`, { body: { id: 'x'.repeat(70_000) }, by: ann }, 413, 205],
      [`${HERE}/commands`, { body: { id: '1' }, by: ann }, 422, 201],
      [`${HERE}/commands`, { body: { id: '1', type: 'close-conference', data: {} }, by: ann }, 403, 302],
      [`/v1/conferences/other/commands`, { body: {}, by: ann }, 403, 303],
      [`/v1/conferences/other/channels/schedule`, { by: organizer }, 404, 202],
      [`${HERE}/channels/_access`, { by: organizer }, 404, 203],
      [`${HERE}/channels/me/ben`, { by: ann }, 403, 302],
      [`${HERE}/channels/schedule?position=x`, { by: ann }, 422, 201],
      [`${HERE}/commands/never`, { by: ann }, 404, 209],
      ['/v1/links/never', { body: {} }, 404, 210],
    ];
    for (const [path, asking, status, code] of cases) {
      const answer = await call(path, asking);
      expect([path, answer.status, answer.json?.code]).toEqual([path, status, code]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.json).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    }
  });

  it('gives a channel as one snapshot, with an ETag that spares the next one', async () => {
    const first = await call(`${HERE}/channels/session/s1/questions`, { by: someone('ann') });
    expect(first.json).toMatchObject({ channel: 'session/s1/questions', from: null, entries: expect.any(Array) });
    const etag = first.headers.get('etag') ?? '';
    const again = { by: someone('ann'), headers: { 'if-none-match': etag } };
    expect((await call(`${HERE}/channels/session/s1/questions`, again)).status).toBe(304);
    await call(`${HERE}/commands`, {
      by: someone('cat'),
      body: { id: 'h3', type: 'ask-question', data: { session: 's1', text: 'How?' } },
    });
    const changed = await call(`${HERE}/channels/session/s1/questions`, again);
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('says "stale" when the asked position is not reached in time', async () => {
    const { json } = await call(`${HERE}/channels/schedule?position=999999`, { by: someone('ann') });
    expect(json).toMatchObject({ stale: true, channel: 'schedule' });
    expect((await call(`${HERE}/channels/schedule?position=1`, { by: someone('ann') })).json.stale).toBeUndefined();
  });

  it('lets in whoever knows the join code, within a budget', async () => {
    const { code } = doors.world.document<{ code: string }>('_access', 'join/code') ?? { code: '' };
    for (const wrong of ['NOPE', `${code.slice(1)}Ä`, `${code}X`])
      expect((await call(`${HERE}/join`, { body: { code: wrong } })).json.code).toBe(210);
    const { json } = await call(`${HERE}/join`, { body: { code: code.toLowerCase() } });
    expect((await doors.tokens.verify(json.token)).identity).toEqual({
      actor: json.actor,
      role: 'attendee',
      conference: CONFERENCE,
    });
    const more = [];
    for (let turn = 0; turn < 3; turn++) more.push((await call(`${HERE}/join`, { body: { code } })).status);
    expect(more).toEqual([200, 200, 429]);
  });

  it('mints tokens and one-time links for those who may; a moderator gets the grant with it', async () => {
    const minted = await call(`${HERE}/tokens`, { by: organizer, body: { role: 'moderator', sessions: ['s1'] } });
    expect(doors.world.document('_access', `moderator/${minted.json.actor}`)).toMatchObject({ sessions: ['s1'] });
    const link = await call(`${HERE}/tokens`, { by: organizer, body: { role: 'screen', link: true } });
    expect(link.json.url).toMatch(/^https:\/\/hallway\.example\/#link=/);
    const code = link.json.url.split('#link=')[1];
    expect((await call(`/v1/links/${code}`, { body: {} })).json).toMatchObject({
      role: 'screen',
      conference: CONFERENCE,
    });
    expect((await call(`/v1/links/${code}`, { body: {} })).json.code).toBe(210);
    const operator = someone('otto', 'operator');
    expect((await call(`${HERE}/tokens`, { by: operator, body: { role: 'screen' } })).status).toBe(200);
    expect((await call(`${HERE}/tokens`, { by: operator, body: { role: 'organizer' } })).json.code).toBe(302);
    const local = someone('lea', 'organizer');
    expect((await call('/v1/conferences/*/tokens', { by: local, body: { role: 'organizer' } })).json.code).toBe(303);
  });

  it('is listed, ready or not, and sends the headers that keep a page to itself', async () => {
    expect((await call('/v1/conferences')).json).toEqual({ conferences: [{ id: CONFERENCE, title: 'SREcon Demo' }] });
    expect((await call('/healthz')).status).toBe(200);
    door.ready = false;
    expect(await call('/readyz')).toMatchObject({ status: 503, json: { ok: false } });
    door.ready = true;
    const { headers } = await call('/readyz');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('documents itself: a page whose only style is allowed by its hash, and OpenAPI', async () => {
    const page = await call('/docs');
    expect(page.text).toContain('define-rooms');
    expect(page.headers.get('content-security-policy')).toMatch(/style-src 'sha256-/);
    expect((await call('/docs/openapi.json')).json).toMatchObject({ openapi: '3.1.0' });
  });

  it('I9: a large schedule is not even read from somebody unknown, whatever its type', async () => {
    for (const type of ['application/xml', 'application/json', 'text/plain']) {
      const response = await fetch(`${door.url}${HERE}/imports`, {
        method: 'POST',
        body: '<schedule/>',
        headers: { 'content-type': type },
      });
      expect([response.status, await response.json()]).toMatchObject([401, { code: 300 }]);
    }
  });

  it('imports a schedule.json, whatever type it is sent as; what it cannot read changes nothing', async () => {
    const body = JSON.stringify(generatedJson({ days: 1, rooms: 3, sessions: 2 }, 400));
    expect(body.length).toBeGreaterThan(100_000);
    for (const type of ['application/json', 'application/octet-stream']) {
      const { text } = await call(`${HERE}/imports`, { by: organizer, body, headers: { 'content-type': type } });
      const { report } = JSON.parse(text.trim().split('\n').at(-1) ?? '');
      const changed = type === 'application/json' ? 6 : 0;
      expect(report).toEqual({ counts: { sessions: 6, rooms: 3, changed, odd: 0 }, odd: [] });
    }
    expect(doors.world.state.documents('schedule', 'session')).toHaveLength(9);
    const before = doors.appended();
    for (const bad of ['{"schedule": {}}', '<schedule/>', 'hello', '[[', '{']) {
      const { status, json } = await call(`${HERE}/imports`, { by: organizer, body: bad });
      expect([status, json.code]).toEqual([400, 200]);
    }
    expect((await call(`${HERE}/imports`, { by: someone('ann'), body })).json.code).toBe(302);
    expect(doors.appended()).toBe(before);
  });
});

describe('the HTTP door in a storm', () => {
  it('case V17: an attendee is turned away before the body is read, with the time to wait; a desk is not', async () => {
    const lag = new LagControl({ waitMs: 1_000 });
    const doors = createDoors(undefined, lag);
    await openDemo(doors.world);
    await doors.follow();
    const door = await openHttpDoor(doors);
    const known = await door.call(`${HERE}/commands/none`, { by: someone('ann') });
    expect(known.json.code).toBe(209);
    const conference = lag.of(CONFERENCE);
    const entered: Promise<unknown>[] = [];
    while (!conference.isFull) entered.push(conference.enter());
    const storm = Promise.allSettled(entered);
    const refused = await door.call(`${HERE}/commands`, { by: someone('ann'), body: '{"id":' });
    expect(refused).toMatchObject({ status: 503, json: { code: 101, retryAfter: expect.any(Number) } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const unread = await door.call(`${HERE}/commands`, { by: organizer, body: '{"id":' });
    expect(unread.json.code).toBe(200);
    await storm;
    await door.close();
  });
});
