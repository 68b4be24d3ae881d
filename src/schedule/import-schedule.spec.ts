import { describe, expect, it } from '@jest/globals';
import { type CommandAck, Refusal } from '#libs/protocol';
import { CONGRESS, generatedJson } from '../../test/support/generated-schedule.js';
import { readFrabJson } from './frab-json.js';
import { importSchedule } from './import-schedule.js';

const parsed = readFrabJson(JSON.stringify(generatedJson(CONGRESS, 1)));
interface Sent {
  readonly id: string;
  readonly type: string;
}
const applied: CommandAck = { position: 1, outcome: 'applied' };
const refused = (name: ConstructorParameters<typeof Refusal>[0], retryAfter?: number): CommandAck => ({
  refusal: new Refusal(name, undefined, retryAfter).body(),
});

/** Imports a congress into a door that answers like this. */
async function run(answer: (message: Sent, index: number) => CommandAck) {
  const sent: Sent[] = [];
  let inFlight = 0;
  let most = 0;
  const report = importSchedule(parsed, {
    async send(message) {
      most = Math.max(most, ++inFlight);
      const index = sent.push(message) - 1;
      await new Promise(setImmediate);
      inFlight--;
      return answer(message, index);
    },
    known: async () => null,
    onProgress: () => undefined,
  });
  const error = await report.then(
    () => null,
    (reason: unknown) => reason,
  );
  return { sent, most, error };
}

describe('an import', () => {
  it('opens the conference, then defines rooms, then brings sessions chunk by chunk, and is closed at the end', async () => {
    const { sent, most, error } = await run(() => applied);
    expect(error).toBeNull();
    expect(sent.map(({ type }) => type)).toEqual([
      'open-conference',
      'define-rooms',
      ...Array.from({ length: 11 }, () => 'import-sessions'),
      'close-import',
    ]);
    expect(most).toBe(1);
  });

  it('I13: sends a chunk again under its id when told to come again', async () => {
    const { sent, error } = await run((_, index) => (index === 4 ? refused('behind', 1) : applied));
    expect(error).toBeNull();
    expect(sent).toHaveLength(15);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(14);
  });

  it('sends nothing more after a refusal', async () => {
    const { sent, error } = await run((_, index) => (index === 4 ? refused('too-large') : applied));
    expect(error).toMatchObject({ refusal: 'too-large' });
    expect(sent).toHaveLength(5);
  });
});
