/** (updates, server time) → what is to be said here and now. Pure, shared by pages, exports and tests. */
import { ALL_CLEAR_MS, EMERGENCY_VALID_MS, type UpdateDocument } from './updates/documents.js';

/** Where it is read; nothing: everything that is for the public. */
export interface Place {
  readonly room?: string | undefined;
  readonly session?: string | undefined;
}

export interface UpdatesView {
  /** The latest that holds; it takes over. */
  readonly emergency: UpdateDocument | null;
  /** An emergency was retracted a moment ago and no other holds. */
  readonly allClear: UpdateDocument | null;
  /** What else holds, most severe first, then newest. */
  readonly news: readonly UpdateDocument[];
}

const at = (instant: string): number => Date.parse(instant);
const RANK = { emergency: 3, urgent: 2, notice: 1, info: 0 } as const;

function isFor({ audience }: UpdateDocument, { room, session }: Place): boolean {
  if (audience.to === 'rooms') return room === undefined || audience.rooms.includes(room);
  if (audience.to === 'sessions') return session === undefined || audience.sessions.includes(session);
  return true;
}

/** Until when an emergency may be shown without having heard of it again. Milliseconds since 1970. */
export const validUntil = ({ confirmedAt }: UpdateDocument): number => at(confirmedAt) + EMERGENCY_VALID_MS;

/** @param now server time, milliseconds since 1970 */
export function viewUpdates(updates: readonly UpdateDocument[], place: Place, now: number): UpdatesView {
  const here = updates.filter((update) => isFor(update, place)).sort((a, b) => at(b.postedAt) - at(a.postedAt));
  const emergencies = here.filter(({ severity }) => severity === 'emergency');
  const emergency = emergencies.find((update) => update.state !== 'retracted' && validUntil(update) > now) ?? null;
  const cleared = emergencies.find(
    ({ state, changedAt }) => state === 'retracted' && at(changedAt ?? '') + ALL_CLEAR_MS > now,
  );
  const news = here.filter(
    ({ severity, state, expiresAt }) =>
      severity !== 'emergency' && state !== 'retracted' && (expiresAt === null || at(expiresAt) > now),
  );
  return {
    emergency,
    allClear: emergency ? null : (cleared ?? null),
    news: news.sort((a, b) => RANK[b.severity] - RANK[a.severity] || at(b.postedAt) - at(a.postedAt)),
  };
}

/**
 * An emergency that a reader out of touch can no longer vouch for: it held when they last heard, and its time has run out since. It may
 * have been renewed, or be over. @param since when they last heard, milliseconds since 1970; null: they are in touch
 */
export function unconfirmed(
  updates: readonly UpdateDocument[],
  since: number | null,
  now: number,
): UpdateDocument | null {
  if (since === null) return null;
  const lapsed = updates.find((update) => {
    const { severity, state } = update;
    const end = validUntil(update);
    return severity === 'emergency' && state !== 'retracted' && end <= now && end > since;
  });
  return lapsed ?? null;
}

/** Its text in the first of these languages that it has, else in any. */
export function textOf(
  { texts }: UpdateDocument,
  languages: readonly string[],
): { readonly language: string; readonly text: string } | null {
  const language = languages.find((one) => texts[one] !== undefined) ?? Object.keys(texts)[0];
  const text = language === undefined ? undefined : texts[language];
  return language === undefined || text === undefined ? null : { language, text };
}
