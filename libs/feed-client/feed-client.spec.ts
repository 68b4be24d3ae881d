import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CommandAck } from '#libs/protocol';
import { createFeedClient } from './feed-client.js';
import type { Transport } from './transport.js';

const SENT_AT_ONCE = 0;

describe('commands of a client', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A server that answers so, one answer after the other; `sent`: when each command came, milliseconds after the first. */
  async function connected(answers: CommandAck[]) {
    const sent: number[] = [];
    let first: number | undefined;
    const transport: Transport = {
      connect: () => ({
        subscribe: () => undefined,
        unsubscribe: () => undefined,
        async command() {
          first ??= performance.now();
          sent.push(Math.round(performance.now() - first));
          return answers.shift() ?? { position: 1, outcome: 'applied' };
        },
        shown: () => undefined,
        mismatch: () => undefined,
        close: () => undefined,
      }),
    };
    const client = createFeedClient({
      url: '',
      conference: 'c',
      class: 'phone',
      getToken: () => 'token',
      transport,
      random: () => 0,
    });
    await jest.advanceTimersByTimeAsync(1_000);
    return { client, sent };
  }

  const busy = (retryAfter: number): CommandAck => ({ refusal: { code: 101, message: 'busy', retryAfter } });

  it('case S29: are sent again at the time that the refusal names and not before, however long that is', async () => {
    const { client, sent } = await connected([busy(7_000), busy(400)]);
    const ack = client.command('upvote-question', {});
    await jest.advanceTimersByTimeAsync(8_000);
    expect(await ack).toMatchObject({ outcome: 'applied' });
    expect(sent).toEqual([SENT_AT_ONCE, 7_000, 7_400]);
    client.close();
  });

  it('case S29: that would have to wait beyond their time end with the refusal at once', async () => {
    const { client, sent } = await connected([busy(60_000)]);
    expect(await client.command('upvote-question', {})).toMatchObject({ refusal: { code: 101, retryAfter: 60_000 } });
    expect(sent).toEqual([SENT_AT_ONCE]);
    client.close();
  });
});
