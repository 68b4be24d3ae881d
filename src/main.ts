/** Starts one process and keeps it until a signal; the same for every role. */
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { Closers } from './closers.js';
import type { Config } from './config.js';
import type { Demo } from './demo/demo.js';
import { MODERATOR } from './demo/script.js';
import { keepLocalAccess } from './local-access.js';
import { createLogger, talkOnSignal } from './logger.js';
import { createService, type Service } from './service.js';
import type { Telemetry } from './telemetry.js';

const LINK_SECONDS = 24 * 3_600;
/** After the drain, to close everything; then the process ends all the same, with 1. */
const FORCE_EXIT_MS = defineLimit({
  name: 'stop.force.time',
  value: 6_000,
  unit: 'ms',
  beyond: 'counted from the drain: the process ends with 1, and the embedded database with it',
});
/** More than it takes to export what is left. */
const TELEMETRY_CLOSE_MS = 2_500;
const ORGANIZER = { role: 'organizer', conference: '*' } as const;

/** Resolves when the service has stopped. */
export async function startService(config: Config, telemetry: Telemetry): Promise<void> {
  const logger = createLogger(config);
  talkOnSignal(logger);
  for (const problem of telemetry.problems) logger.warn(problem);
  // What a full disk does not take is lost, and no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('unhandledRejection', (err) => logger.error({ err }, 'an unhandled rejection: a bug'));
  const started = performance.now();
  const asked = signalled();
  let service: Service | undefined;
  // A generation may be built for minutes. What is half open is as safe as after a kill; the embedded database ends with its owner.
  void asked.then((why) => {
    if (service) return;
    logger.info({ why }, 'stopping before the start was complete');
    process.exit(0);
  });
  const closers = new Closers(logger);
  closers.add('telemetry', () => telemetry.stop(), TELEMETRY_CLOSE_MS);
  try {
    service = await createService({ config, logger, onProgress: showProgress });
    await introduce({ config, logger, service, closers, started });
    const why = await Promise.race([asked, service.ended]);
    logger.info({ why }, 'stopping');
    process.exitCode = why.startsWith('SIG') ? 0 : 1;
  } finally {
    // Also for what keeps the process after its end: a connection that was made too late.
    setTimeout(() => process.exit(1), config.HALLWAY_DRAIN_MS + FORCE_EXIT_MS).unref();
    for (const close of [() => service?.stop(), () => closers.close()]) {
      try {
        await close();
      } catch {
        process.exitCode = 1; // Each failure was logged.
      }
    }
  }
}

interface Started {
  readonly config: Config;
  readonly logger: Logger;
  readonly service: Service;
  readonly closers: Closers;
  /** By `performance.now()`. */
  readonly started: number;
}

/** Tells people and the command line on this machine where the service is. */
async function introduce({ config, logger, service, closers, started }: Started): Promise<void> {
  if (config.DATABASE_URL === undefined) {
    const { url, tokens } = service;
    closers.add('local access', await keepLocalAccess({ dataDir: config.DATA_DIR, url, tokens, logger }));
  }
  const tookMs = Math.round(performance.now() - started);
  if (config.ROLE === 'projector') logger.info({ url: service.url, tookMs }, 'the projector is ready');
  else await welcome(service, tookMs);
}

/** Ctrl-C in a terminal reaches this process and npm, which hands it on: what comes within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: string) => {
      first ??= performance.now();
      // A second signal means: end at once.
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(1);
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

async function welcome(service: Service, tookMs: number): Promise<void> {
  const { url, tokens, demo, store } = service;
  const line = (name: string, value: string) => `  ${name.padEnd(24)}${value}`;
  const lines = [
    '',
    `  Hallway is ready (${(tookMs / 1_000).toFixed(1)} s)`,
    '',
    ...(demo ? await demoLines(service, demo, line) : []),
    line('conferences and screens', `${url}/`),
    ...(await organizerLine(tokens, url, line)),
    line('HTTP interface', `${url}/docs`),
    '',
    line('import a schedule', 'npx hallway import schedule.xml'),
    line('all commands', 'npx hallway --help'),
    ...store.notes.map((note) => `  note: ${note}`),
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

type Line = (name: string, value: string) => string;

/** Printed until somebody has used one: a start is no reason to hand out another key to the house. */
async function organizerLine(tokens: Service['tokens'], url: string, line: Line): Promise<readonly string[]> {
  if (await tokens.wasRedeemed('organizer'))
    return [line('another organizer', 'npx hallway token -r organizer --link')];
  const code = await tokens.createLink({ actor: 'organizer', ...ORGANIZER }, LINK_SECONDS);
  return [line('organizer, one time', `${url}/#link=${code}`)];
}

/** In the order in which a newcomer tries them. */
async function demoLines(
  { url, tokens }: Service,
  { conference, joinCode }: Demo,
  line: Line,
): Promise<readonly string[]> {
  const wall = await tokens.createLink({ actor: 'demo-wall', role: 'screen', conference }, LINK_SECONDS);
  const desk = await tokens.createLink({ actor: MODERATOR, role: 'moderator', conference }, LINK_SECONDS);
  return [
    line('1 a wall, one time', `${url}/#link=${wall}`),
    line('2 a phone: ask', `${url}/c/${conference}/join#code=${joinCode}`),
    line('3 a desk, one time', `${url}/#link=${desk}`),
    '  The demo plays by itself until you moderate in it; HALLWAY_DEMO=off: none.',
    '',
  ];
}

function showProgress({ done, total }: { readonly done: number; readonly total: number }): void {
  if (total > 1_000) process.stderr.write(`building read models: ${done} of ${total} events\n`);
}
