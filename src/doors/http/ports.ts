import type { Feed } from '#libs/feed';
import type { Logger, Queryable } from '#libs/postgres';
import type { Intake } from '../../intake/intake.js';
import type { CommandDoor } from '../commands/command-door.js';
import type { Tokens } from '../tokens/tokens.js';
import type { ListConferences } from './conference-list.js';

/** What the HTTP door stands on; composed where the process is put together. */
export interface HttpPorts {
  readonly feed: Feed;
  readonly commands: CommandDoor;
  readonly intake: Intake;
  readonly tokens: Tokens;
  /** Reads rows of the live generation. @throws Refusal behind, while there is none */
  readonly readLive: <T>(read: (db: Queryable, schema: string) => Promise<T>) => Promise<T>;
  readonly listConferences: ListConferences;
  readonly publicUrl: string;
  /** Attendee tokens per join code and minute. */
  readonly joinBudget: number;
  readonly health: Health;
  readonly logger: Logger;
}

export interface Health {
  /** By progress: a wedged process is not alive, a process that cannot serve now is not ready. */
  alive(): HealthReport;
  ready(): HealthReport;
  /** Whether clients may be sent here: a proxy asks. A database that is away is no reason, for screens are served all the same. */
  takesClients(): HealthReport;
}

export interface HealthReport {
  readonly ok: boolean;
  readonly details: object;
}

export const HTTP_PORTS = Symbol('HttpPorts');
