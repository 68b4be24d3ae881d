/**
 * Many callers who each ask for one thing, and a database that answers for many as fast as for one: while one call is on its way, what
 * comes meanwhile waits and is the next one, in order. Alone, a caller waits for nobody.
 *
 * Each call runs in the trace of the first who asked for it: under steady load the loop never ends, and would put all statements of an
 * hour under whoever began it.
 */
import { type Context, context } from '@opentelemetry/api';

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly context: Context;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * @param work answers in the order of the items; if it fails, all of them have failed
 * @param atOnce most items of one call
 */
export function together<Item, Answer>(
  work: (items: readonly Item[]) => Promise<readonly Answer[]>,
  atOnce: number,
): (item: Item) => Promise<Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let busy = false;

  async function pump(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atOnce);
      try {
        const first = batch[0]?.context ?? context.active();
        const answers = await context.with(first, () => work(batch.map(({ item }) => item)));
        for (const [index, one] of batch.entries()) one.resolve(answers[index] as Answer);
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, context: context.active(), resolve, reject });
      if (!busy) void pump();
    });
}
