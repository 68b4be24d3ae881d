/** A message as the command that it says: bounded, checked against the command's schema, and its sender's own. */
import { canonicalJson, commandIdOf, type Lane } from '#libs/event-log';
import { commandSchema, describeIssues, parseBounded, Refusal, refuseInvisible } from '#libs/protocol';
import { capabilities } from '../../conference/capabilities.js';
import type { CommandSpec, Identity } from '../../conference/capability.js';
import { slug } from '../../conference/kernel.js';
import type { ForeignCommand } from '../../intake/intake.js';

/** The one command that makes the conference it is sent to. */
export const OPENING = 'open-conference';

const specs = new Map(
  capabilities.flatMap(({ commands }) => commands).map((spec): [string, CommandSpec] => [spec.type, spec]),
);
type Message = ReturnType<typeof parseBounded<typeof commandSchema>>;

export type CommandInLane = ForeignCommand & { readonly lane: Lane };

export interface Asked {
  readonly identity: Identity;
  readonly lane: Lane;
  readonly conference: string;
  readonly message: Message;
  readonly spec: CommandSpec;
  readonly data: Record<string, unknown>;
  readonly commandId: string;
  /** Canonical: what the id stands for. */
  readonly content: string;
  readonly sentBefore: number;
}

/** All that is known of a message's fields, so that a refusal can name them. */
const messageNames = new Map([...specs].map(([type, { schema }]) => [type, commandSchema.extend({ data: schema })]));

/** @throws Refusal */
export function readCommand(command: CommandInLane): Asked {
  const { identity, conference, lane, message: raw, sender, sentBefore = performance.now() } = command;
  const message = parseBounded(
    commandSchema,
    raw,
    messageNames.get((raw as { readonly type?: string } | null)?.type ?? ''),
  );
  if (identity.conference !== '*' && identity.conference !== conference) throw new Refusal('wrong-conference');
  const spec = specs.get(message.type);
  if (!spec) throw new Refusal('unknown-command');
  const parsed = spec.schema.safeParse(message.data);
  if (!parsed.success) throw new Refusal('invalid', describeIssues(spec.schema, parsed.error));
  refuseInvisible(parsed.data, spec.schema);
  // Only this command brings a new id into the world; all others meet "unknown conference".
  if (spec.type === OPENING && !slug.safeParse(conference).success)
    throw new Refusal('invalid', 'the request is not valid: conference: lower case letters, digits and hyphens');
  const commandId = commandIdOf(conference, sender, message.id);
  // A producer may speak for others: who says it is part of what is said.
  const content = canonicalJson([spec.type, parsed.data, identity.actor]);
  return { identity, conference, lane, message, spec, data: parsed.data, commandId, content, sentBefore };
}
