import { describe, expect, it } from '@jest/globals';
import type { CommandAck } from '#libs/protocol';
import { ASK_AFTER_MS, createOutbox, type Waiting } from './outbox.js';

const applied: CommandAck = { position: 1, outcome: 'applied' };
const later: CommandAck = { refusal: { code: 103, message: 'try again' } };
const refused: CommandAck = { refusal: { code: 204, message: 'questions are not open here' } };

function world(answers: CommandAck[]) {
  const sent: Waiting[] = [];
  const told: [string, CommandAck][] = [];
  let clock = 0;
  const outbox = createOutbox({
    name: `outbox.${Math.random()}`,
    send: (item) => {
      sent.push(item);
      return Promise.resolve(answers.shift() ?? later);
    },
    onAnswer: (item, ack) => told.push([item.type, ack]),
    onChange: () => undefined,
    now: () => clock,
  });
  return { outbox, sent, told, pass: (ms: number) => (clock += ms) };
}

describe('the outbox', () => {
  it('I13: keeps what had no answer and sends it again under the same id', async () => {
    const { outbox, sent, told } = world([later, applied]);
    outbox.add('ask-question', { text: 'Why?' });
    await outbox.flush();
    expect(outbox.items).toHaveLength(1);
    await outbox.flush();
    expect(outbox.items).toEqual([]);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(told).toEqual([['ask-question', applied]]);
  });

  it('a refusal is an answer', async () => {
    const { outbox, told } = world([refused]);
    outbox.add('ask-question', { text: 'Why?' });
    await outbox.flush();
    expect([outbox.items, told]).toEqual([[], [['ask-question', refused]]]);
  });

  it('after two minutes it waits to be confirmed, and what is newer goes on', async () => {
    const { outbox, sent, pass } = world([later, applied, applied]);
    outbox.add('ask-question', { text: 'Old?' });
    await outbox.flush();
    pass(ASK_AFTER_MS + 1);
    outbox.add('ask-question', { text: 'New?' });
    await outbox.flush();
    expect(outbox.items.map(({ data }) => data.text)).toEqual(['Old?']);
    const [old] = outbox.items;
    expect(old && outbox.isOld(old)).toBe(true);
    outbox.confirm(old?.id ?? '');
    await outbox.flush();
    expect([outbox.items, sent.at(-1)?.id]).toEqual([[], old?.id]);
  });

  it('what is dropped is not sent', async () => {
    const { outbox, sent } = world([later]);
    outbox.add('ask-question', { text: 'Why?' });
    await outbox.flush();
    outbox.drop(outbox.items[0]?.id ?? '');
    await outbox.flush();
    expect([outbox.items, sent.length]).toEqual([[], 1]);
  });
});
