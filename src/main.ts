/** Starts one process and keeps it until a signal; the same for every role. */
import type { Config } from './config.js';
import { removeLocalAccess, writeLocalAccess } from './local-access.js';
import { createLogger } from './logger.js';
import { createService, type Service } from './service.js';

const LOCAL_TOKEN_SECONDS = 30 * 24 * 3_600;
const LINK_SECONDS = 24 * 3_600;
const ORGANIZER = { role: 'organizer', conference: '*' } as const;

/** Resolves when the service has stopped. */
export async function startService(config: Config): Promise<void> {
  const logger = createLogger(config);
  process.on('unhandledRejection', (err) => logger.error({ err }, 'an unhandled rejection: a bug'));
  const started = performance.now();
  const service = await createService({ config, logger, onProgress: showProgress });
  const embedded = config.DATABASE_URL === undefined;
  if (embedded)
    writeLocalAccess(
      config.DATA_DIR,
      service.url,
      await service.tokens.issue({ actor: 'local-organizer', ...ORGANIZER }, LOCAL_TOKEN_SECONDS),
    );
  if (config.ROLE !== 'projector') await welcome(service, Math.round(performance.now() - started));
  const why = await Promise.race([signalled(), service.ended]);
  logger.info({ why }, 'stopping');
  const impatient = setTimeout(() => process.exit(1), 8_000);
  await service.stop();
  if (embedded) removeLocalAccess(config.DATA_DIR);
  clearTimeout(impatient);
  process.exitCode = why.startsWith('SIG') ? 0 : 1;
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
}

async function welcome(service: Service, tookMs: number): Promise<void> {
  const code = await service.tokens.createLink({ actor: 'organizer', ...ORGANIZER }, LINK_SECONDS);
  const lines = [
    '',
    `  Hallway is ready (${(tookMs / 1_000).toFixed(1)} s)`,
    '',
    `  conferences and screens   ${service.url}/`,
    `  organizer, one time       ${service.url}/#link=${code}`,
    `  HTTP interface            ${service.url}/docs`,
    '',
    '  import a schedule         npx hallway import schedule.xml',
    '  all commands              npx hallway --help',
    ...service.store.notes.map((note) => `  note: ${note}`),
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function showProgress({ done, total }: { readonly done: number; readonly total: number }): void {
  if (total > 1_000) process.stderr.write(`building read models: ${done} of ${total} events\n`);
}
