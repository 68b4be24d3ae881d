/** Plays the demo's script through the ordinary command door: one player among all processes, until somebody takes over. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Lease, type Logger, type Queryable, quoteIdentifier } from '#libs/postgres';
import type { CommandAck } from '#libs/protocol';
import type { Identity } from '../conference/capability.js';
import { PLAYER, type Step, scriptOf } from './script.js';

export interface PlayerPorts {
  /** undefined: another process plays. */
  readonly takeLease: () => Promise<Lease | undefined>;
  readonly handle: (identity: Identity, conference: string, message: unknown) => Promise<CommandAck>;
  readonly readLive: <T>(read: (db: Queryable, schema: string) => Promise<T>) => Promise<T>;
  readonly logger: Logger;
}

export interface PlayOptions extends PlayerPorts {
  readonly conference: string;
  /** Milliseconds since 1970. */
  readonly beginning: number;
  /** Milliseconds since 1970; tests hurry. */
  readonly now?: () => number;
}

export interface Player {
  /** Why it plays no more. */
  readonly ended: Promise<'over' | 'taken over' | 'stopped'>;
  stop(): Promise<void>;
}

const LOOK_MS = 2_000;
const TRIES = 50;

export function play(options: PlayOptions): Player {
  const stopping = new AbortController();
  const ended = run(options, stopping.signal).catch((err: unknown) => {
    if (!stopping.signal.aborted) options.logger.error({ err }, 'the demo has stopped playing');
    return 'stopped' as const;
  });
  return {
    ended,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

async function run(options: PlayOptions, signal: AbortSignal): Promise<'over' | 'taken over' | 'stopped'> {
  const script = scriptOf(options.conference, options.beginning);
  while (!signal.aborted) {
    const lease = await options.takeLease();
    if (lease) {
      try {
        return await playOn(options, script, lease, signal);
      } catch (err) {
        if (signal.aborted) return 'stopped';
        // The database went away, and the lease with it: whoever gets it next goes on where the log says.
        options.logger.warn({ err }, 'the demo was interrupted');
      } finally {
        lease.release();
      }
    }
    await wait(LOOK_MS, undefined, { signal });
  }
  return 'stopped';
}

async function playOn(
  { now = Date.now, ...options }: PlayOptions,
  script: readonly Step[],
  lease: Lease,
  signal: AbortSignal,
): Promise<'over' | 'taken over'> {
  for (const step of script) {
    const due = options.beginning + step.at * 1_000 - now();
    if (due > 0) await wait(due, undefined, { signal });
    if (lease.lost()) throw new Error('the lease of the demo was lost');
    if (step.at > 0 && (await takenOver(options))) {
      options.logger.info({ conference: options.conference }, 'somebody has taken over the demo');
      return 'taken over';
    }
    await send(options, step, signal);
  }
  return 'over';
}

/** What the script may not do any more (a human has done it) is left out; what cannot be done now is tried again. */
async function send({ handle, conference, logger }: PlayOptions, step: Step, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const ack = await handle(step.by, conference, step.message);
    if (!('refusal' in ack)) return;
    if (ack.refusal.code >= 200) {
      logger.debug({ step: step.message.type, refusal: ack.refusal.code }, 'a step of the demo was refused');
      return;
    }
    await wait(ack.refusal.retryAfter ?? 200, undefined, { signal });
  }
}

/** Somebody else has moderated or organized in it; handing out links is not yet taking over. */
export async function takenOver({
  readLive,
  conference,
}: Pick<PlayOptions, 'readLive' | 'conference'>): Promise<boolean> {
  return readLive(async (db, schema) => {
    const { rows } = await db.query<{ yes: boolean }>(
      `select exists (select 1 from ${quoteIdentifier(schema)}.audit_entry
         where conference = $1 and actor <> $2 and type not in ('moderator-granted', 'moderator-revoked')) as yes`,
      [conference, PLAYER],
    );
    return rows[0]?.yes ?? false;
  });
}
