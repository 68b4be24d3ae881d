import type { z } from 'zod';
import type { NewEvent } from '#libs/event-log';
import type { Refusal } from '#libs/protocol';
import { ANY_SESSION, type DecisionContext, type DecisionState } from '../capability.js';
import { notFound, rule } from '../kernel.js';
import type { Audience, Severity, UpdateDocument } from './documents.js';
import type { updateFields } from './events.js';

export const STREAM = 'updates';

type Decision = readonly NewEvent[] | Refusal;
type Fields = z.output<typeof updateFields>;

const updateOf = (state: DecisionState, id: string): UpdateDocument | undefined =>
  state.document<UpdateDocument>('updates', `update/${id}`) ?? state.document<UpdateDocument>('crew', `update/${id}`);

/** For moderators: news for certain sessions need grants for these, news for crew any grant, all others one for all sessions. */
export const sessionsOf = (audience: Audience): string | readonly string[] | undefined =>
  audience.to === 'sessions' ? audience.sessions : audience.to === 'crew' ? ANY_SESSION : undefined;

/** Who may change it had to be able to post it, and to post what it becomes. */
export const sessionsOfUpdate = (
  { update, audience }: { readonly update: string; readonly audience?: Audience },
  state: DecisionState,
): string | readonly string[] | undefined => {
  const known = updateOf(state, update);
  const needed = [...(known ? [known.audience] : []), ...(audience ? [audience] : [])].map(sessionsOf);
  if (needed.length === 0 || needed.includes(undefined)) return undefined;
  const sessions = needed.flatMap((one) => (typeof one === 'object' ? one : []));
  return sessions.length > 0 ? sessions : ANY_SESSION;
};

function bad({ audience, expiresAt }: Fields, { state, now }: DecisionContext): Refusal | undefined {
  if (expiresAt !== null && Date.parse(expiresAt) <= now.getTime()) return rule('it would be expired already');
  const [kind, ids] =
    audience.to === 'rooms'
      ? ['room', audience.rooms]
      : audience.to === 'sessions'
        ? ['session', audience.sessions]
        : ['', []];
  return ids.every((id) => state.document('schedule', `${kind}/${id}`)) ? undefined : notFound(kind);
}

export interface Posting extends Fields {
  readonly severity: Severity;
  readonly drill: boolean;
  readonly confirmed: boolean;
}

export function post({ confirmed, ...data }: Posting, context: DecisionContext): Decision {
  const refusal = bad(data, context) ?? (data.severity === 'emergency' ? badEmergency(data, confirmed, context) : null);
  if (refusal) return refusal;
  return [{ type: 'update-posted', stream: STREAM, data }];
}

function badEmergency({ texts, expiresAt }: Fields, confirmed: boolean, context: DecisionContext): Refusal | undefined {
  if (context.identity.role !== 'organizer') return rule('an emergency is for organizers to post');
  if (!confirmed) return rule('an emergency takes over every screen: send it again with "confirmed": true');
  if (expiresAt !== null) return rule('an emergency holds for 15 minutes and is renewed; it has no other end');
  const { languages = [] } =
    context.state.document<{ languages: readonly string[] }>('schedule', 'conference/self') ?? {};
  const missing = languages.filter((language) => !texts[language]);
  return missing.length > 0
    ? rule(`an emergency needs its text in every language of the conference: ${missing.join(', ')} is missing`)
    : undefined;
}

export function amend({ update, ...data }: { readonly update: string } & Fields, context: DecisionContext): Decision {
  const known = updateOf(context.state, update);
  if (!known) return notFound('update');
  if (known.state === 'retracted') return rule('it is retracted');
  if ((known.audience.to === 'crew') !== (data.audience.to === 'crew'))
    return rule('what crew were told alone is not made public, nor the other way round: post it anew');
  const refusal =
    bad(data, context) ?? (known.severity === 'emergency' ? badEmergency(data, true, context) : undefined);
  return refusal ?? [{ type: 'update-amended', subject: update, stream: STREAM, data: { update, ...data } }];
}

export function renew({ update }: { readonly update: string }, { state }: DecisionContext): Decision {
  const known = updateOf(state, update);
  if (!known) return notFound('update');
  if (known.severity !== 'emergency') return rule('only an emergency is renewed');
  if (known.state === 'retracted') return rule('it is retracted');
  return [{ type: 'update-renewed', subject: update, stream: STREAM, data: { update } }];
}

export function retract({ update }: { readonly update: string }, { state, identity }: DecisionContext): Decision {
  const known = updateOf(state, update);
  if (!known) return notFound('update');
  if (known.state === 'retracted') return rule('it is retracted already');
  if (known.severity === 'emergency' && identity.role !== 'organizer')
    return rule('an emergency is for organizers to retract');
  return [{ type: 'update-retracted', subject: update, stream: STREAM, data: { update } }];
}
