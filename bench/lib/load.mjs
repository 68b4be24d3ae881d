// A busy hour at a given rate, past the doors into the log: one event a command, so many under way as it takes.
import { BEFORE, commands, send } from './live-hour.mjs';

/**
 * What lies before the busy part is appended first. @param traceparent makes the trace context of one command; default: none
 * @returns `run(perSecond, seconds)` → when each offset's append began, milliseconds since 1970
 */
export async function startLoad(journal, { conference = 'bench', traceparent = () => undefined } = {}) {
  const source = commands(conference, Number.MAX_SAFE_INTEGER);
  for (let sent = 0; sent < BEFORE; sent++) await send(journal, conference, source.next().value);
  return {
    async run(perSecond, seconds) {
      const begun = new Map();
      const under = new Set();
      const started = performance.now();
      for (let sent = 0; sent < perSecond * seconds; ) {
        const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - started) / 1_000) * perSecond));
        for (; sent < due; sent++) {
          const at = Date.now();
          const one = send(journal, conference, source.next().value, traceparent()).then(({ position }) => {
            begun.set(Number(position.offset), at);
            under.delete(one);
          });
          under.add(one);
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await Promise.all(under);
      return { begun, took: (performance.now() - started) / 1_000 };
    },
  };
}
