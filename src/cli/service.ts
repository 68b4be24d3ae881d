/** How the command line finds and talks to a running service: through its HTTP door, as anybody else. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.js';
import { CliError } from './cli-error.js';

/** Written by the service into DATA_DIR when it listens (src/local-access.ts). */
const LOCAL = { service: 'service.json', token: 'organizer.token' } as const;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

export class Service {
  private readonly url: string;
  private readonly token: string | undefined;

  constructor(config: Config) {
    const local = readLocal(config, LOCAL.service);
    const here = local ? (JSON.parse(local) as { url: string }).url : config.publicUrl;
    this.url = (config.HALLWAY_URL ?? here).replace(/\/$/, '');
    // The token in DATA_DIR opens every conference of the service on this machine: it is sent to no other.
    const isHere = !config.HALLWAY_URL || this.url === here || LOOPBACK.has(new URL(this.url).hostname);
    this.token = config.HALLWAY_TOKEN ?? (isHere ? readLocal(config, LOCAL.token)?.trim() : undefined);
  }

  /** Where the service is and as whom to talk to it. @throws CliError: there is no token */
  access(): { readonly url: string; readonly token: string } {
    if (!this.token) {
      throw new CliError(
        'there is no token: set HALLWAY_TOKEN (`hallway token -r organizer` makes one where DATABASE_URL is set), or run this in the folder of a service running on this machine (DATA_DIR)',
      );
    }
    return { url: this.url, token: this.token };
  }

  /** @throws CliError: nothing answers there */
  async reach(): Promise<void> {
    await fetch(`${this.url}/healthz`).catch((error: Error) => this.silent(error));
  }

  async getJson(route: string): Promise<unknown> {
    return (await this.request(route, { method: 'GET' })).json();
  }

  async postJson(route: string, body: object): Promise<unknown> {
    const response = await this.request(route, {
      method: 'POST',
      body: JSON.stringify(body),
      type: 'application/json',
    });
    return response.json();
  }

  /** Posts a file and hands on each line of the NDJSON answer as it comes. */
  async postFile(route: string, file: Buffer, type: string, onLine: (line: object) => void): Promise<void> {
    const response = await this.request(route, { method: 'POST', body: file, type });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line) onLine(JSON.parse(line) as object);
    }
  }

  private async request(
    route: string,
    { method, body, type }: { method: string; body?: string | Buffer; type?: string },
  ): Promise<Response> {
    const { token } = this.access();
    const response = await fetch(this.url + route, {
      method,
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      headers: { ...(type ? { 'content-type': type } : {}), authorization: `Bearer ${token}` },
    }).catch((error: Error) => this.silent(error));
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  private silent(error: Error): never {
    throw new CliError(
      `no service answers at ${this.url}; start one with \`npm start\`, or set HALLWAY_URL (${causeOf(error)})`,
    );
  }
}

const causeOf = (error: Error): string =>
  error.cause instanceof Error ? ((error.cause as NodeJS.ErrnoException).code ?? error.cause.message) : error.message;

async function refusalOf(response: Response): Promise<CliError> {
  const problem = (await response.json().catch(() => ({}))) as {
    code?: number;
    detail?: string;
    title?: string;
    retryAfter?: number;
  };
  const wait = problem.retryAfter ? ` (try again in ${Math.ceil(problem.retryAfter / 1000)} s)` : '';
  return new CliError(
    `${problem.code ?? response.status} ${problem.detail ?? problem.title ?? response.statusText}${wait}`,
  );
}

function readLocal(config: Config, name: string): string | undefined {
  try {
    return readFileSync(path.join(config.DATA_DIR, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`${path.join(config.DATA_DIR, name)} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
