import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommandAck } from '#libs/protocol';
import { keysOf, load, save } from '../browser/local-store.js';
import { ASK_AFTER_MS, createOutbox, type Outbox } from './outbox.js';
import { MAX_OUTBOX_ITEM_CHARACTERS, MAX_OUTBOX_ITEMS, type Waiting } from './stored-items.js';

const applied: CommandAck = { position: 1, outcome: 'applied' };
const later: CommandAck = { refusal: { code: 103, message: 'try again' } };
const closed: CommandAck = { refusal: { code: 208, message: 'questions are not open here' } };
const limited = (retryAfter: number): CommandAck => ({ refusal: { code: 106, message: 'too many', retryAfter } });

const open: Outbox[] = [];
afterEach(() => {
  for (const outbox of open.splice(0)) outbox.close();
});

/** @param answers `later` once they are used up */
function world(answers: CommandAck[], name = `demo.${Math.random()}`) {
  const sent: Waiting[] = [];
  const told: [string, CommandAck][] = [];
  const state = { clock: 1_000_000, connected: true, dropped: 0 };
  const outbox = createOutbox({
    name,
    send: (item) => {
      sent.push(item);
      return Promise.resolve(answers.shift() ?? later);
    },
    canSend: () => state.connected,
    onAnswer: (item, ack) => told.push([item.type, ack]),
    onChange: () => undefined,
    onDropped: (count) => (state.dropped += count),
    now: () => state.clock,
  });
  open.push(outbox);
  return { name, outbox, sent, told, state, texts: () => outbox.items.map(({ data }) => data.text) };
}

const question = (text: string) => ({ session: 's1', text });

describe('the outbox', () => {
  it('I13: keeps what had no answer and sends it again under the same id', async () => {
    const { outbox, sent, told, state } = world([later, applied]);
    state.connected = false;
    outbox.add('ask-question', question('Why?'));
    await outbox.flush();
    expect(sent).toEqual([]);
    state.connected = true;
    await outbox.flush();
    expect(outbox.items).toHaveLength(1);
    state.clock += 1_000;
    await outbox.flush();
    expect(outbox.items).toEqual([]);
    expect([sent.length, new Set(sent.map(({ id }) => id)).size]).toEqual([2, 1]);
    expect(told).toEqual([['ask-question', applied]]);
  });

  it('case V41: a text that was refused for good stays with its reason, is not sent again, and survives a reload', async () => {
    const { outbox, sent, told, name } = world([closed]);
    outbox.add('ask-question', question('Why?'));
    await outbox.flush();
    const refusal = { code: 208, message: 'questions are not open here' };
    expect(outbox.items).toMatchObject([{ data: { text: 'Why?' }, refusal }]);
    await outbox.flush();
    expect([sent.length, told]).toEqual([1, [['ask-question', closed]]]);
    expect(world([], name).outbox.items).toMatchObject([{ data: { text: 'Why?' }, refusal }]);
  });

  it('case V8: what came too fast waits as long as the service says, also beyond two minutes, and is sent then', async () => {
    const { outbox, sent, state, texts } = world([limited(150_000), applied, applied, applied]);
    outbox.add('ask-question', question('Sixth?'));
    outbox.add('ask-question', question('Seventh?'));
    outbox.add('upvote-question', { question: 'q1' });
    await outbox.flush();
    expect(sent.map(({ type }) => type)).toEqual(['ask-question', 'upvote-question']);
    expect(outbox.items.map(({ notBefore, limited }) => [notBefore, limited])).toEqual([
      [1_150_000, true],
      [1_150_000, true],
    ]);
    state.clock += 149_999;
    await outbox.flush();
    expect([sent.length, outbox.items.map((item) => outbox.isOld(item))]).toEqual([2, [false, false]]);
    state.clock += 1;
    await outbox.flush();
    expect(texts()).toEqual([]);
    expect(sent.slice(2).map(({ data }) => data.text)).toEqual(['Sixth?', 'Seventh?']);
  });

  it('case V8: a clock that was set back does not make an item wait for hours', async () => {
    const { outbox, state, texts } = world([limited(30_000), applied]);
    outbox.add('ask-question', question('Why?'));
    await outbox.flush();
    state.clock -= 3_600_000;
    await outbox.flush();
    expect(texts()).toEqual([]);
  });

  it('after two minutes it waits to be confirmed, and what is newer goes on', async () => {
    const { outbox, sent, state, texts } = world([applied, applied]);
    state.connected = false;
    outbox.add('ask-question', question('Old?'));
    state.clock += ASK_AFTER_MS + 1;
    outbox.add('ask-question', question('New?'));
    state.connected = true;
    await outbox.flush();
    expect(texts()).toEqual(['Old?']);
    const [old] = outbox.items;
    expect(old && outbox.isOld(old)).toBe(true);
    outbox.confirm(old?.id ?? '');
    await outbox.flush();
    expect([outbox.items, sent.at(-1)?.id]).toEqual([[], old?.id]);
  });

  it('what is dropped is not sent, and an answer that was on its way does not bring it back', async () => {
    const { outbox, sent } = world([closed]);
    outbox.add('ask-question', question('Why?'));
    const flushing = outbox.flush();
    outbox.drop(outbox.items[0]?.id ?? '');
    await flushing;
    await outbox.flush();
    expect([outbox.items, sent.length <= 1]).toEqual([[], true]);
  });

  it('case V9: one without an answer holds up no other, but acts on one question keep their order', async () => {
    const { outbox, sent } = world([later, applied]);
    outbox.add('upvote-question', { question: 'q1' });
    outbox.add('withdraw-upvote', { question: 'q1' });
    outbox.add('ask-question', question('Why?'));
    await outbox.flush();
    expect(sent.map(({ type }) => type)).toEqual(['upvote-question', 'ask-question']);
    expect(outbox.items.map(({ type }) => type)).toEqual(['upvote-question', 'withdraw-upvote']);
  });

  it('case V43: what is stored is validated: damaged and oversized items are dropped with a message, the rest is sent', async () => {
    const good = { id: 'good', type: 'ask-question', data: question('Why?'), at: 999_999 };
    const planted: Record<string, string> = {
      large: JSON.stringify({ ...good, id: 'large', data: question('x'.repeat(150_000)) }),
      half: JSON.stringify({ id: 'half', at: 1 }),
      nothing: 'null',
      broken: '{"id":',
      other: JSON.stringify({ ...good, id: 'another name' }),
      nested: JSON.stringify({ ...good, id: 'nested', data: { session: { deep: 1 } } }),
      good: JSON.stringify(good),
    };
    const name = `demo.${Math.random()}`;
    for (const [id, text] of Object.entries(planted)) save(`outbox.${name}.${id}`, text);
    const { outbox, sent, state } = world([applied], name);
    await outbox.flush();
    expect([sent.map(({ id }) => id), state.dropped]).toEqual([['good'], 6]);
    expect(keysOf(`outbox.${name}.`)).toEqual([]);
    expect(MAX_OUTBOX_ITEM_CHARACTERS).toBeLessThan(64 * 1024);
  });

  it('case V43: a list as it was stored before is taken over, item by item', async () => {
    for (const [list, ids, dropped] of [
      ['null', [], 1],
      [
        JSON.stringify([{ id: 'a', at: 1 }, null, { id: 'b', type: 'ask-question', data: question('?'), at: 5 }]),
        ['b'],
        2,
      ],
    ] as const) {
      const name = `demo.${Math.random()}`;
      save(`outbox.${name}`, list);
      const { outbox, state } = world([], name);
      expect([outbox.items.map(({ id }) => id), state.dropped]).toEqual([ids, dropped]);
      expect(load(`outbox.${name}`)).toBeUndefined();
    }
  });

  it(`I9: holds ${MAX_OUTBOX_ITEMS} items; one more is refused and none is lost`, () => {
    const { outbox, state } = world([]);
    state.connected = false;
    const added = Array.from({ length: MAX_OUTBOX_ITEMS + 1 }, (_, index) =>
      outbox.add('ask-question', question(`${index}`)),
    );
    expect([added.at(-2), added.at(-1), outbox.items.length]).toEqual([true, false, MAX_OUTBOX_ITEMS]);
    expect(outbox.items[0]?.data.text).toBe('0');
  });

  it('two tabs over one storage send each item once, and a tab that has gone is followed by the other', async () => {
    const first = world([applied, applied, applied]);
    const second = world([applied, applied, applied], first.name);
    first.state.connected = second.state.connected = false;
    first.outbox.add('ask-question', question('From the first'));
    second.outbox.add('ask-question', question('From the second'));
    first.state.connected = second.state.connected = true;
    await Promise.all([first.outbox.flush(), second.outbox.flush()]);
    const ids = [...first.sent, ...second.sent].map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
    save(`sender.${first.name}`, `${first.state.clock + 15_000} a-tab-that-was-closed`);
    second.outbox.add('ask-question', question('Later'));
    await second.outbox.flush();
    expect(second.texts()).toEqual(['Later']);
    second.state.clock += 15_001;
    await second.outbox.flush();
    expect(second.texts()).toEqual([]);
  });
});
