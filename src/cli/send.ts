/** `hallway send COMMAND`: one subcommand per command of the capabilities, its flags made from its schema. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { capabilities } from '../conference/capabilities.js';
import type { CommandSpec } from '../conference/capability.js';
import type { Config } from '../config.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

interface SendOptions {
  readonly conference: string;
  readonly data?: string;
  readonly commandId?: string;
  readonly because?: string;
  readonly [field: string]: unknown;
}

/** What a flag takes, by the type that its schema says. */
const WANTED: Readonly<Record<string, string>> = {
  array: 'a list is given as JSON',
  object: 'an object is given as JSON',
  integer: 'a whole number is wanted',
  number: 'a number is wanted',
  boolean: 'true or false is wanted',
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function addSend(program: Command, readConfig: () => Config): void {
  const send = program.command('send').description('send any command; each has its own --help');
  for (const spec of capabilities.flatMap((capability) => capability.commands)) addOne(send, spec, readConfig);
}

function addOne(send: Command, spec: CommandSpec, readConfig: () => Config): void {
  const command = send
    .command(spec.type)
    .description(`${spec.summary} (${spec.by.join(', ')})`)
    .requiredOption('-c, --conference <id>', 'the conference')
    .option('--data <json>', 'all fields as one JSON object (flags win)')
    .option('--command-id <uuid>', 'id of the command: a retry with the same id acts once')
    .option('--because <text>', 'reason, kept in the audit')
    .addHelpText(
      'after',
      `\nExample:\n  hallway send ${spec.type} -c my-conf --data '${JSON.stringify(spec.example)}'`,
    );
  for (const [name, field] of Object.entries(spec.schema.shape)) {
    const { type, description } = jsonSchemaOf(field as z.ZodType);
    command.option(`--${kebab(name)} <${type === 'string' ? 'text' : type}>`, description, (text: string) =>
      readValue(name, text, type, spec.example[name]),
    );
  }
  command.action(async (options: SendOptions) => {
    const fields = Object.keys(spec.schema.shape).filter((name) => options[name] !== undefined);
    const data = { ...readData(options.data), ...Object.fromEntries(fields.map((name) => [name, options[name]])) };
    const message = {
      id: options.commandId ?? randomUUID(),
      type: spec.type,
      data,
      ...(options.because ? { reason: options.because } : {}),
    };
    const answer = await new Service(readConfig()).postJson(
      `/v1/conferences/${encodeURIComponent(options.conference)}/commands`,
      message,
    );
    console.log(JSON.stringify(answer));
  });
}

function jsonSchemaOf(field: z.ZodType): { type: string; description: string } {
  const schema = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }) as {
    type?: string;
    enum?: string[];
    description?: string;
  };
  return { type: schema.type ?? 'json', description: schema.description ?? schema.enum?.join(' | ') ?? '' };
}

function readValue(name: string, text: string, type: string, example: unknown): unknown {
  if (type === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    if (type === 'json') return text;
    const such = typeof example === 'object' ? `: '${JSON.stringify(example)}'` : '';
    throw new CliError(`200 --${kebab(name)}: ${WANTED[type] ?? `not a value of type ${type}`}${such}`);
  }
}

function readData(text: string | undefined): object {
  if (text === undefined) return {};
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  } catch {
    // Said below: not JSON and not an object are one mistake to the one who types.
  }
  throw new CliError('200 --data: not a JSON object');
}
