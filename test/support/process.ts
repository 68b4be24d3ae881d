/** A real process of the built service, and its HTTP door. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { generatedJson } from './generated-schedule.js';
import { freePort } from './start-postgres.js';
import { withTestLog } from './test-log.js';

export { freePort };

export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** All it has printed. */
  output(): string;
  /** Resolves with what it printed once the pattern is there. */
  printed(pattern: RegExp): Promise<string>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `hallway start` of dist/ with this environment only. */
export async function startProcess(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const full = await withTestLog(environment);
  const port = full.PORT ?? String(await freePort());
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/src/cli/main.js', 'start'], {
    env: {
      PATH: process.env.PATH ?? '',
      HALLWAY_DRAIN_MS: '300',
      METRICS_PORT: 'off',
      ...(full.DATABASE_URL ? { HALLWAY_DEMO: 'off' } : {}),
      ...full,
      PORT: port,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const lookers = new Set<() => void>();
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    for (const look of [...lookers]) look();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    child,
    output: () => text,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return;
          lookers.delete(look);
          resolve(text);
        };
        lookers.add(look);
        // A test that only times out would not say what the process was doing.
        const late = () => reject(new Error(`${pattern} was not printed within 45 s:\n${text}`));
        AbortSignal.timeout(45_000).addEventListener('abort', late);
        look();
        void ended.then((code) =>
          reject(new Error(`the process ended with ${code} before it printed ${pattern}:\n${text}`)),
        );
      }),
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Resolves when the condition holds; looks often, gives up loudly. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  withinMs = 15_000,
): Promise<number> {
  const started = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - started;
    if (performance.now() - started > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Imports a schedule of some hundred kilobytes: what a client does not read of it fills the kernel's buffers soon. */
export async function importLargeSchedule(url: string, organizer: string): Promise<void> {
  const response = await fetch(`${url}/v1/conferences/demo/imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${organizer}`, 'content-type': 'application/json' },
    body: JSON.stringify(generatedJson({ days: 3, rooms: 20, sessions: 5 }, 100)),
  });
  if (!(await response.text()).includes('"report"')) throw new Error('the schedule was not imported');
}

export interface Ack {
  readonly position: number | null;
  readonly outcome: string;
  readonly subject: string;
  readonly because?: string;
}

export interface Api {
  /** Sends a command and expects an outcome. */
  send(type: string, data: object, id?: string): Promise<Ack>;
  post(route: string, body: object): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  get(route: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

export function api(url: () => string, token: string, conference = 'demo'): Api {
  const call = async (route: string, init: RequestInit) => {
    const response = await fetch(url() + route, {
      ...init,
      signal: AbortSignal.timeout(20_000),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    async send(type, data, id = randomUUID()) {
      const message = JSON.stringify({ id, type, data });
      // As clients do: 1xx means "try again", and the same id acts once.
      for (let attempt = 0; ; attempt++) {
        const { status, body } = await call(`/v1/conferences/${conference}/commands`, {
          method: 'POST',
          body: message,
        });
        if (status === 200 || status === 202) return body as unknown as Ack;
        if (Number(body.code) >= 200 || attempt >= 20) throw new Error(`${type}: ${JSON.stringify(body)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    post: (route, body) => call(route, { method: 'POST', body: JSON.stringify(body) }),
    get: (route) => call(route, {}),
  };
}

/** Conference `demo` with rooms a and b and sessions s1 (now), s2 (in an hour) in a, questions open in s1. */
export async function openDemo({ send }: Api): Promise<void> {
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
  await send('open-conference', { title: 'Demo <b>conference</b>', timeZone: 'Europe/Berlin' });
  await send('define-rooms', {
    rooms: [
      { id: 'a', name: 'Hall A', order: 1 },
      { id: 'b', name: 'Hall B', order: 2 },
    ],
  });
  await send('schedule-session', {
    id: 's1',
    title: 'Safe roll-out of models',
    room: 'a',
    start: at(-1),
    end: at(44),
    speakers: ['An engineer'],
  });
  await send('schedule-session', {
    id: 's2',
    title: 'Ten years of a free authority',
    room: 'a',
    start: at(60),
    end: at(105),
    speakers: ['A founder'],
  });
  await send('open-questions', { session: 's1' });
}
