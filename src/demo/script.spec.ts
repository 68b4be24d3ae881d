import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { holdsInAnyDelivery } from '../../test/support/any-delivery.js';
import { createWorld, CONFERENCE as WORLD } from '../../test/support/world.js';
import { scriptOf } from './script.js';

const BEGINNING = Date.parse('2026-11-23T09:00:00Z');

describe('the demo’s script', () => {
  it('is the same whenever it is written, in order, each step with an id of its own', () => {
    const script = scriptOf('demo', BEGINNING);
    expect(scriptOf('demo', BEGINNING)).toEqual(script);
    expect(script.map(({ at }) => at)).toEqual(script.map(({ at }) => at).sort((a, b) => a - b));
    expect(new Set(script.map(({ message }) => message.id)).size).toBe(script.length);
    expect(scriptOf('other', BEGINNING)[0]?.message.id).not.toBe(script[0]?.message.id);
  });

  it('tells something short every few minutes, in both languages, and never an emergency', () => {
    const updates = scriptOf('demo', BEGINNING).filter(({ message }) => message.type === 'post-update');
    const end = scriptOf('demo', BEGINNING).at(-1)?.at ?? 0;
    for (const [index, { at, message }] of updates.entries()) {
      expect((updates[index + 1]?.at ?? end) - at).toBeLessThanOrEqual(8 * 60);
      expect(message.data).toMatchObject({ severity: expect.stringMatching(/^(info|notice)$/) });
      const { texts } = message.data as { readonly texts: Readonly<Record<string, string>> };
      expect(Object.keys(texts)).toEqual(['en', 'de']);
      for (const text of Object.values(texts)) expect(text.length).toBeLessThanOrEqual(90);
    }
  });

  it('every step is accepted and has an effect', async () => {
    const world = createWorld();
    const nothing: string[] = [];
    for (const { at, message, by } of scriptOf(WORLD, BEGINNING)) {
      world.now = new Date(BEGINNING + at * 1_000);
      const answer = await world.send(message.type, message.data, by, message.id);
      await world.fold();
      if (answer instanceof Refusal) nothing.push(`${message.type} ${JSON.stringify(message.data)}: ${answer.message}`);
      else if (answer.length === 0) nothing.push(`${message.type} ${JSON.stringify(message.data)}: no effect`);
    }
    expect(nothing).toEqual([]);
    await holdsInAnyDelivery(world);
  });
});
