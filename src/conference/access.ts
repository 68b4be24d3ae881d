/** Who may do and follow what: derived from the list of capabilities and the grants in `_access`. Pure. */
import { Refusal } from '#libs/protocol';
import type { ErasedDocument, ModeratorDocument } from './access/documents.js';
import { capabilities } from './capabilities.js';
import {
  ANY_SESSION,
  type ChannelSpec,
  type CommandSpec,
  type DecisionState,
  type Identity,
  type Role,
} from './capability.js';
import type { ConferenceDocument } from './conferences/documents.js';
import { rule } from './kernel.js';

const takenFromOutside = new Set(capabilities.flatMap(({ events }) => events).map(({ takenAs }) => takenAs));

const patterns = capabilities
  .flatMap(({ channels }) => channels)
  .map((spec) => ({ spec, expression: expressionOf(spec.pattern) }));

function expressionOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern.replaceAll(/:(\w+)/g, (_, name: string) => (name === 'actor' ? '(?<actor>.+)' : `(?<${name}>[^/]+)`))}$`,
  );
}

export function matchChannel(
  channel: string,
): { readonly spec: ChannelSpec; readonly parameters: Readonly<Record<string, string>> } | undefined {
  for (const { spec, expression } of patterns) {
    const match = expression.exec(channel);
    if (match) return { spec, parameters: { ...match.groups } };
  }
  return undefined;
}

/** Whether somebody may be here at all. */
export function mayConnect(identity: Identity, state: DecisionState): 'ok' | Refusal {
  if (state.document<ErasedDocument>('_access', `erased/${identity.actor}`)) return new Refusal('erased');
  if (identity.role === 'moderator' && !grantOf(identity, state)) return new Refusal('revoked');
  return 'ok';
}

export function mayCommand(identity: Identity, spec: CommandSpec, data: object, state: DecisionState): 'ok' | Refusal {
  const here = mayConnect(identity, state);
  if (here !== 'ok') return here;
  if (!roleMay(identity.role, spec)) return new Refusal('forbidden', `this needs the role ${spec.by.join(' or ')}`);
  if (!spec.afterClose && isClosed(state)) return rule('the conference is closed');
  if (identity.role !== 'moderator') return 'ok';
  const needed = spec.session?.(data as never, state);
  if (needed === ANY_SESSION) return 'ok';
  const sessions = typeof needed === 'object' ? needed : [needed];
  if (sessions.every((session) => isGranted(grantOf(identity, state), session))) return 'ok';
  return new Refusal(
    'forbidden',
    needed === undefined ? 'this needs a grant for all sessions' : 'this moderator has no grant for this session',
  );
}

/** Producers do what their events are taken as, and nothing else. */
const roleMay = (role: Role, { type, by }: CommandSpec): boolean =>
  role === 'producer' ? takenFromOutside.has(type) : by.includes(role);

export function mayFollow(identity: Identity, channel: string, state: DecisionState): 'ok' | Refusal {
  const here = mayConnect(identity, state);
  if (here !== 'ok') return here;
  const match = matchChannel(channel);
  // Internal channels do not exist for anybody outside.
  if (!match || match.spec.by.length === 0) return new Refusal('unknown-channel');
  const { spec, parameters } = match;
  if (!spec.by.includes(identity.role))
    return new Refusal('forbidden', `this channel needs the role ${spec.by.join(' or ')}`);
  if (parameters.actor !== undefined && parameters.actor !== identity.actor)
    return new Refusal('forbidden', 'this channel belongs to somebody else');
  if (spec.granted && identity.role === 'moderator' && !isGranted(grantOf(identity, state), parameters.session)) {
    return new Refusal('forbidden', 'this moderator has no grant for this session');
  }
  return 'ok';
}

const isClosed = (state: DecisionState): boolean =>
  state.document<ConferenceDocument>('schedule', 'conference/self')?.state === 'closed';

const grantOf = ({ actor }: Identity, state: DecisionState): ModeratorDocument | undefined =>
  state.document<ModeratorDocument>('_access', `moderator/${actor}`);

const isGranted = (grant: ModeratorDocument | undefined, session: string | undefined): boolean =>
  grant !== undefined && (grant.sessions === 'all' || (session !== undefined && grant.sessions.includes(session)));
