/** `hallway tail CHANNEL`: follows a channel from a terminal, as every page does. */
import { createFeedClient } from '#libs/feed-client';
import type { Config } from '../config.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

export interface TailOptions {
  readonly conference: string;
  readonly json?: boolean;
  /** Stop after the first complete picture. */
  readonly once?: boolean;
}

/** Resolves on Ctrl-C, or with `once` when the channel was shown. @throws CliError: refused */
export async function tailChannel(config: Config, channel: string, options: TailOptions): Promise<void> {
  const { url, token } = new Service(config).access();
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
        print(client.documents(channel), shown, options.json ?? false);
        if (options.once && state === 'live') resolve();
      };
      client.onChange(look);
      look();
    });
  } finally {
    client.close();
  }
}

function print(
  documents: ReadonlyMap<string, { readonly version: number; readonly body: unknown }>,
  shown: Map<string, number>,
  json: boolean,
): void {
  const at = new Date().toISOString();
  for (const [key, { version, body }] of documents) {
    if (shown.get(key) === version) continue;
    shown.set(key, version);
    process.stdout.write(
      json ? `${JSON.stringify({ at, key, version, body })}\n` : `${at} ${key} ${JSON.stringify(body)}\n`,
    );
  }
  for (const key of shown.keys()) {
    if (documents.has(key)) continue;
    shown.delete(key);
    process.stdout.write(json ? `${JSON.stringify({ at, key, body: null })}\n` : `${at} ${key} gone\n`);
  }
}
