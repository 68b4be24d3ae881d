// The clients' processes, driven from the bench.
import { fork } from 'node:child_process';
import path from 'node:path';

/** A process of many websocket clients (swarm.mjs). */
export function startSwarm() {
  const child = fork(path.join(import.meta.dirname, 'swarm.mjs'));
  const told = (key) =>
    new Promise((resolve) => {
      const hear = (message) => {
        if (!(key in message)) return;
        child.off('message', hear);
        resolve(message[key]);
      };
      child.on('message', hear);
    });
  const ask = (message, key) => {
    const answer = told(key);
    child.send(message);
    return answer;
  };
  return {
    pid: child.pid,
    /** Connects so many; resolves when all follow their channel. */
    open: (order) => ask({ open: order }, 'open'),
    /** Drops all of them at once, and begins anew. */
    drop: () => ask({ drop: true }, 'dropped'),
    /** Armed: `all` resolves when so many frames have come. */
    async expect(count) {
      const all = told('all');
      await ask({ expect: count }, 'armed');
      return { all };
    },
    /** What came since the last look, of every so many-th socket: [class, version, milliseconds since 1970]. */
    arrivals: () => ask({ arrivals: true }, 'arrivals'),
    stop: () => child.disconnect(),
  };
}
