/** Events of other programs through a real Kafka, produced by kcat. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type IncomingRecord, produceAgain } from '#libs/event-log';
import { recordsOf } from '../../test/support/doors.js';
import { javaTool, kafkaMissing, startTestKafka, type TestKafka } from '../../test/support/kafka.js';
import { openDemo, until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { silent } from '../../test/support/silent.js';
import { type DeadLetter, keepDeadLetter, listDeadLetters } from './dead-letters.js';

const suite = kafkaMissing() ? describe.skip : describe;
const TOPIC = 'conference.intake';

suite('the intake on Kafka', () => {
  let kafka: TestKafka;
  let running: Running;
  let counter = 0;

  const event = (type: string, data: unknown, over: object = {}): string =>
    JSON.stringify({ specversion: '1.0', id: `k${++counter}`, source: 'venue', type, data, ...over });
  /** One record; a conference's records share a partition, so what comes later was dealt with later. */
  const produce = (value: string, { key = 'demo', headers = [] as string[], args: more = [] as string[] } = {}) => {
    const args = [
      '-P',
      '-b',
      kafka.brokers,
      '-t',
      TOPIC,
      ...(key ? ['-k', key] : []),
      ...headers.flatMap((one) => ['-H', one]),
      ...more,
    ];
    const { status, stderr } = spawnSync('kcat', args, { input: value, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const dead = async (): Promise<readonly DeadLetter[]> =>
    (await listDeadLetters(running.service.store.pool, 100)).filter(({ topic }) => topic === TOPIC);
  const document = async (channel: string, key: string) => {
    const { body } = await running.organizer.get(`/v1/conferences/demo/channels/${channel}`);
    const entries = body.entries as [string, number, Record<string, unknown>][];
    return entries.find(([name]) => name === key)?.[2];
  };
  const roomIs = (full: boolean) =>
    until(
      `room a is ${full ? 'full' : 'free'}`,
      async () => (await document('schedule', 'room/a'))?.full === full,
      30_000,
    );

  beforeAll(async () => {
    kafka = await startTestKafka();
    running = await startRunning({
      environment: {
        KAFKA_BROKERS: kafka.brokers,
        HALLWAY_PRODUCERS: '{"venue":["*"],"doors":["room-filled-up"]}',
      },
    });
    await openDemo(running.organizer);
  }, 120_000);

  afterAll(async () => {
    await running?.stop();
    await kafka?.remove();
  }, 60_000);

  it('session-started and question-asked, structured and binary, are shown; twice produced they act once (I13)', async () => {
    const started = event('session-started', { session: 's1' });
    produce(started);
    produce(started);
    await running.organizer.send('open-questions', { session: 's1', mode: 'open' });
    produce('{"session":"s1","text":"From a console?"}', {
      headers: [
        'ce_specversion=1.0',
        'ce_id=b1',
        'ce_source=venue',
        'ce_type=question-asked',
        'content-type=application/json',
      ],
    });
    produce(event('room-filled-up', { room: 'a' }, { source: 'doors' }), {
      headers: ['content-type=application/cloudevents+json; charset=utf-8'],
    });
    await roomIs(true);
    expect(await document('schedule', 'session/s1')).toMatchObject({ state: 'running' });
    const { body } = await running.organizer.get('/v1/conferences/demo/channels/session/s1/questions');
    expect(JSON.stringify(body)).toContain('From a console?');
    const audit = await running.organizer.get('/v1/conferences/demo/audit?subject=s1&actor=venue');
    expect((audit.body.entries as { type: string }[]).filter(({ type }) => type === 'session-started')).toHaveLength(1);
    expect(await dead()).toEqual([]);
  }, 90_000);

  it('Java’s own producer, structured and binary, in each way it compresses, is shown as well', async () => {
    const asked = (how: string) => `From Java, ${how}?`;
    const binary = (how: string) =>
      [
        `ce_specversion:1.0,ce_id:j-${how},ce_source:venue,ce_type:question-asked,content-type:application/json`,
        'demo',
        JSON.stringify({ session: 's1', text: asked(how) }),
      ].join('\t');
    const structured = (how: string) =>
      [
        'content-type:application/cloudevents+json',
        'demo',
        event('question-asked', { session: 's1', text: asked(`${how}, structured`) }),
      ].join('\t');
    const codecs = ['gzip', 'snappy', 'lz4', 'zstd'];
    for (const how of codecs) {
      const args = ['--bootstrap-server', kafka.brokers, '--topic', TOPIC, '--compression-codec', how];
      const reader = ['parse.headers=true', 'parse.key=true'].flatMap((one) => ['--reader-property', one]);
      await javaTool('ConsoleProducer', [...args, ...reader], `${binary(how)}\n${structured(how)}\n`);
    }
    const all = codecs.flatMap((how) => [asked(how), asked(`${how}, structured`)]);
    const shown = async () => {
      const { body } = await running.organizer.get('/v1/conferences/demo/channels/session/s1/questions');
      return all.filter((text) => JSON.stringify(body).includes(text));
    };
    await until('all are shown', async () => (await shown()).length === all.length, 30_000);
    expect(await dead()).toEqual([]);
  }, 90_000);

  it('I4: each bad record is a dead letter with its reason, and the conference goes on', async () => {
    const good = { session: 's1' };
    const plain = { topic: TOPIC, partition: 0, offset: 0n, key: Buffer.from('demo'), headers: {} };
    const odd: [record: IncomingRecord, code: number][] = [
      [{ ...plain, value: null }, 200],
      [{ ...plain, key: Buffer.from('de\u0000mo'), value: Buffer.from(event('session-ended', good)) }, 201],
      [{ ...plain, headers: { 'na\u0000me': Buffer.from('a\u0000b') }, value: Buffer.from('garbage') }, 200],
    ];
    const bad: [value: string, code: number, over?: { key: string }][] = [
      ['garbage', 200],
      ['{"a":1}', 200],
      [event('session-ended', good, { id: undefined }), 200],
      [event('session-vanished', good), 211],
      [event('session-ended', good, { dataschema: 'hallway:session-ended/9' }), 212],
      [event('session-ended', undefined), 201],
      [event('question-asked', { ...good, text: 'x'.repeat(70_000) }), 205],
      [event('session-ended', good), 201, { key: '' }],
      [event('session-ended', good, { conference: 'other' }), 201],
      [event('session-ended', good), 202, { key: 'nowhere' }],
      [event('session-ended', good, { source: 'stranger' }), 302],
      [event('session-ended', good, { source: 'doors' }), 302],
      [event('question-approved', { question: 'q' }), 302],
      [event('session-ended', { session: 's2' }), 208],
      [event('session-ended', good, { actor: { toString: 1 } }), 201],
      [event('session-ended', good, { actor: 7 }), 201],
      [event('question-asked', { ...good, text: 'a\u0000b' }), 201],
      [event('session-ended', good, { id: 'a\u0000b', actor: 'a\u0000b' }), 201],
    ];
    for (const [value, , over] of bad) produce(value, over);
    for (const [record] of odd) await produceAgain({ brokers: [kafka.brokers], clientId: 'test' }, record, silent);
    // 65 MB of nothing, 65 kB on the wire: no gateway unpacks it.
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-bomb-')), 'bomb');
    fs.writeFileSync(file, Buffer.alloc(65 * 1024 * 1024));
    produce('', { args: ['-z', 'gzip', '-X', 'message.max.bytes=100000000', file] });
    fs.rmSync(path.dirname(file), { recursive: true });
    produce(event('room-freed-up', { room: 'a' }));
    await roomIs(false);
    const wanted = [...bad.map(([, code]) => code), ...odd.map(([, code]) => code), 200].sort();
    await until('each is kept', async () => (await dead()).length === wanted.length, 30_000);
    const letters = await dead();
    expect(letters.map(({ reason }) => Number(reason.slice(0, 3))).sort()).toEqual(wanted);
    expect(letters.map(({ key }) => key)).toContain('de\u0000mo');
    expect(letters.map(({ reason }) => reason).join()).toMatch(/200 records \d+–\d+ of a batch cannot be unpacked/);
    expect(await document('schedule', 'session/s1')).toMatchObject({ state: 'running' });
  }, 90_000);

  it('case V50: an attribute or key that is no UTF-8 makes a dead letter that names it: no two ids become one', async () => {
    const known = (await dead()).length;
    const attributes = { ce_specversion: '1.0', ce_source: 'venue', ce_type: 'room-filled-up' };
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, text]) => [name, Buffer.from(text)]));
    const filled = { topic: TOPIC, partition: 0, offset: 0n, value: Buffer.from('{"room":"a"}') };
    const sent: IncomingRecord[] = [
      ...[0xff, 0xfe].map((first) => ({
        ...filled,
        key: Buffer.from('demo'),
        headers: { ...headers, ce_id: Buffer.from([first, 0x31]) },
      })),
      { ...filled, key: Buffer.from([0xff]), headers: { ...headers, ce_id: Buffer.from('v50') } },
    ];
    for (const record of sent) await produceAgain({ brokers: [kafka.brokers], clientId: 'test' }, record, silent);
    await until('each is kept', async () => (await dead()).length === known + sent.length, 30_000);
    const reasons = (await dead()).slice(0, sent.length).map(({ reason }) => reason);
    expect(reasons.sort()).toEqual([
      '200 the header ce_id is not UTF-8',
      '200 the header ce_id is not UTF-8',
      '200 the key is not UTF-8',
    ]);
    expect(await document('schedule', 'room/a')).toMatchObject({ full: false });
  }, 60_000);

  it('`hallway dead-letters`: listed, shown whole, tried again once the cause is mended, dropped', async () => {
    const cli = (...args: string[]) => {
      const env = { PATH: process.env.PATH ?? '', DATABASE_URL: running.database.url, KAFKA_BROKERS: kafka.brokers };
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['dist/src/cli/main.js', 'dead-letters', ...args],
        { env, encoding: 'utf8' },
      );
      return { status, said: stdout + stderr };
    };
    const mended = (await dead()).find(({ reason }) => reason.startsWith('208'));
    if (!mended) throw new Error('none');
    const place = `${TOPIC}/${mended.partition}/${mended.offset}`;
    const { source, id } = mended.event;
    expect(cli('list').said).toContain(`${place} ${mended.reason} (type=session-ended source=${source} id=${id})\n`);
    expect(cli('show', place).said).toContain('session-ended');
    await running.organizer.send('end-session', { session: 's1' });
    await running.organizer.send('start-session', { session: 's2' });
    expect(cli('retry', place)).toEqual({ status: 0, said: `${place} sent again\n` });
    await until('it was taken', async () => (await document('schedule', 'session/s2'))?.state === 'ended', 30_000);
    expect((await dead()).some(({ offset, partition }) => `${TOPIC}/${partition}/${offset}` === place)).toBe(false);
    const other = (await dead()).find(({ reason }) => reason.startsWith('211'));
    const next = `${TOPIC}/${other?.partition}/${other?.offset}`;
    expect(cli('drop', next)).toEqual({ status: 0, said: `${next} dropped\n` });
    expect(cli('drop', next)).toEqual({ status: 1, said: 'hallway: 209 there is no such dead letter\n' });
    expect(cli('show', 'nonsense')).toMatchObject({ status: 1 });
    const batch = (await dead()).find(({ reason }) => reason.includes('cannot be unpacked'));
    const unpackable = `${TOPIC}/${batch?.partition}/${batch?.offset}`;
    expect(cli('retry', unpackable).said).toBe(
      'hallway: 201 this is not a whole record; its producer must send it again\n',
    );
    const inLog = {
      topic: 'conference.events',
      partition: 0,
      offset: 7n,
      key: Buffer.from('demo'),
      headers: {},
      value: null,
    };
    await keepDeadLetter(running.service.store.pool, inLog, 'no headers');
    expect(cli('retry', 'conference.events/0/7').said).toBe(
      'hallway: 201 only what came through conference.intake can be sent again; this was in the log\n',
    );
  }, 60_000);

  it('I4: what comes while its stream is held for repair is a dead letter at once, and the others go on', async () => {
    await running.service.store.log.append('demo', recordsOf('not-yet-invented', 'session/s1'));
    await until('the stream is held', async () => {
      const { body } = await running.organizer.get('/v1/conferences/demo/channels/schedule');
      return JSON.stringify(body).includes('held/session/s1');
    });
    produce(event('question-asked', { session: 's1', text: 'Held?' }));
    produce(event('room-filled-up', { room: 'a' }));
    await roomIs(true);
    await until('it is kept', async () => (await dead()).some(({ reason }) => reason.startsWith('105')));
  }, 60_000);

  it('a process that starts while Kafka is away waits for it, and takes what comes then', async () => {
    await kafka.stop();
    const second = await running.another('v1');
    await kafka.start();
    produce(event('room-freed-up', { room: 'a' }));
    await roomIs(false);
    const health = async () => {
      const response = await fetch(`${second.url}/readyz`);
      return (await response.json()) as { readonly intake: { readonly silentMs: number; readonly waiting: object } };
    };
    await until('it reads', async () => (await health()).intake.silentMs < 2_000, 30_000);
    expect((await health()).intake.waiting).toEqual({});
  }, 90_000);
});
