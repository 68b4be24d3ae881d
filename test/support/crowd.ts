/** People who ask and vote without a pause; what was accepted is remembered, to be compared with what is shown. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import type { Tokens } from '../../src/doors/tokens/tokens.js';
import { api } from './process.js';

export interface Crowd {
  /** Numbers of the refusals that it was told. */
  readonly codes: ReadonlySet<number>;
  /** Text of each accepted question → its accepted votes. @throws what one of them was refused for good */
  readonly accepted: ReadonlyMap<string, number>;
  end(): Promise<void>;
}

let people = 0;

/** One person after another asks about session s1, and the next one votes for it; each command again under its id until it is answered. */
export function crowd(url: () => string, tokens: Tokens, name: string): Crowd {
  const accepted = new Map<string, number>();
  const codes = new Set<number>();
  let open = true;
  let failure: unknown;
  const send = async (type: string, data: object, after = 0): Promise<{ subject: string; position: number }> => {
    const actor = `p${++people}`;
    const { post } = api(url, await tokens.issue({ actor, role: 'attendee', conference: 'demo' }, 3_600));
    const message = { id: randomUUID(), type, data, after };
    for (;;) {
      const { status, body } = await post('/v1/conferences/demo/commands', message);
      if (status === 200 || status === 202) return { subject: String(body.subject), position: Number(body.position) };
      codes.add(Number(body.code));
      if (Number(body.code) >= 200) throw new Error(JSON.stringify(body));
      await pass(Number(body.retryAfter ?? 200));
    }
  };
  const run = (async () => {
    while (open) {
      const text = `${name} ${accepted.size}`;
      const { subject: question, position } = await send('ask-question', { session: 's1', text });
      accepted.set(text, 0);
      await send('upvote-question', { question }, position);
      accepted.set(text, 1);
    }
  })().catch((error: unknown) => {
    failure = error;
  });
  return {
    codes,
    get accepted() {
      if (failure) throw failure;
      return accepted;
    },
    async end() {
      open = false;
      await run;
    },
  };
}
