/** `hallway tail CHANNEL`: follows a channel from a terminal, as every page does. */
import { createFeedClient } from '#libs/feed-client';
import type { Config } from '../config.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

export interface TailOptions {
  readonly conference: string;
  /** Where the service is, instead of HALLWAY_URL. */
  readonly url?: string;
  readonly json?: boolean;
  /** Stop after the first complete picture. */
  readonly once?: boolean;
}

type Documents = ReadonlyMap<string, { readonly version: number; readonly body: unknown }>;

/** Resolves on Ctrl-C, when the reader of our output has gone, or with `once` when the channel was shown. @throws CliError: refused */
export async function tailChannel(config: Config, channel: string, options: TailOptions): Promise<void> {
  if (options.url !== undefined && !/^https?:$/.test(URL.parse(options.url)?.protocol ?? ''))
    throw new CliError('200 --url: not an address that begins with http:// or https://');
  const service = new Service(options.url === undefined ? config : { ...config, HALLWAY_URL: options.url });
  const { url, token } = service.access();
  // A connection lost later is waited for; one that never was is most likely a wrong address.
  await service.reach();
  const client = createFeedClient({
    url,
    conference: options.conference,
    class: 'desk',
    getToken: () => token,
    channels: [channel],
  });
  const shown = new Map<string, number>();
  let state = '';
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = () => resolve();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
      // `hallway tail … | head`: enough was read.
      process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? stop() : reject(error)));
      const look = () => {
        const status = client.status();
        const refusal = status.refusal ?? client.refusals().get(channel);
        if (status.state === 'refused' || refusal) {
          reject(new CliError(`${refusal?.code ?? 300} ${refusal?.message ?? 'refused'}`));
          return;
        }
        if (status.state !== state) {
          state = status.state;
          process.stderr.write(`# ${state}\n`);
        }
        for (const line of changes(client.documents(channel), shown, options.json ?? false))
          process.stdout.write(`${line}\n`);
        if (options.once && state === 'live') stop();
      };
      client.onChange(look);
      look();
    });
  } finally {
    client.close();
  }
}

/** Lines for what differs from what was shown, which is brought up to date. */
function changes(documents: Documents, shown: Map<string, number>, json: boolean): readonly string[] {
  const at = new Date().toISOString();
  const lines: string[] = [];
  for (const [key, { version, body }] of documents) {
    if (shown.get(key) === version) continue;
    shown.set(key, version);
    lines.push(json ? JSON.stringify({ at, key, version, body }) : `${at} ${key} ${JSON.stringify(body)}`);
  }
  for (const key of shown.keys()) {
    if (documents.has(key)) continue;
    shown.delete(key);
    lines.push(json ? JSON.stringify({ at, key, body: null }) : `${at} ${key} gone`);
  }
  return lines.map(printable);
}

/** JSON leaves the second block of control characters as they are; a terminal would obey what an attendee has written. */
const printable = (line: string): string =>
  line.replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
