/** Tables of the engine itself, folded by the same overlay as everybody's: outcomes, parked streams, erased subjects, windows. */

import type { JsonObject } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Column, DocumentView, Row, RowTable } from './projection.js';

const column = (property: string, type: string): Column => ({
  property,
  column: property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  type,
  personal: false,
});

function table<R extends Row>(
  name: string,
  key: readonly (keyof R & string)[],
  columns: Readonly<Record<keyof R & string, string>>,
): RowTable<R> {
  return { name, key, columns: Object.entries<string>(columns).map(([property, type]) => column(property, type)) };
}

/** I13: a command acts once; `base` is the offset of its first event as first met. */
export type AppliedCommand = {
  readonly commandId: string;
  readonly base: number;
  /** How many of its events changed something / wait in a parked stream. */
  readonly applied: number;
  readonly held: number;
  readonly because: string | null;
  readonly at: string;
  /** Of what its sender said; null: the log was written before there were digests. */
  readonly digest: string | null;
  /** What its sender was answered with. */
  readonly subject: string;
};
export const appliedCommand = table<AppliedCommand>('applied_command', ['commandId'], {
  commandId: 'uuid',
  base: 'bigint',
  applied: 'integer',
  held: 'integer',
  because: 'text',
  at: 'timestamptz',
  digest: 'text',
  subject: 'text',
});

export type Outcome = 'applied' | 'no-effect' | 'held';
export const outcomeOf = ({ applied, held }: Pick<AppliedCommand, 'applied' | 'held'>): Outcome =>
  held > 0 ? 'held' : applied > 0 ? 'applied' : 'no-effect';

export type OutcomeEntry = {
  readonly command: string;
  readonly outcome: Outcome;
  readonly because: string | null;
  readonly at: string;
};
export type ActorOutcomes = { readonly actor: string; readonly list: readonly OutcomeEntry[] };
export const actorOutcomes = table<ActorOutcomes>('actor_outcomes', ['actor'], { actor: 'text', list: 'jsonb' });
export const MAX_OUTCOMES = defineLimit({
  name: 'projection.outcomes',
  value: 20,
  unit: 'entries',
  beyond: 'the oldest outcome leaves the sender’s document',
});

/** An event that waits for a corrected projection or an operator; the whole record is kept, as in the log. */
export type ParkedEvent = {
  readonly stream: string;
  readonly offset: number;
  /** Its place in its stream: what waits is read in parts. */
  readonly seq: number;
  readonly reason: string;
  readonly record: JsonObject;
};
export const parkedEvent = table<ParkedEvent>('parked_event', ['offset'], {
  offset: 'bigint',
  stream: 'text',
  seq: 'integer',
  reason: 'text',
  record: 'jsonb',
});

export type HeldStream = {
  readonly stream: string;
  readonly since: string;
  /** Of the event that holds it. */
  readonly offset: number;
  /** Places of the events that wait; there may be holes. */
  readonly first: number;
  readonly last: number;
  /** Offset of the `event-skipped` that releases it just now, in slices (release.ts). */
  readonly releasing: number | null;
  /** All that could be folded was; what is left are documents. */
  readonly folded: boolean;
  /** Documents put off by the slices, and how many of them were rendered. */
  readonly touched: number;
  readonly rendered: number;
};
export const heldStream = table<HeldStream>('held_stream', ['stream'], {
  stream: 'text',
  since: 'timestamptz',
  offset: 'bigint',
  first: 'integer',
  last: 'integer',
  releasing: 'bigint',
  folded: 'boolean',
  touched: 'integer',
  rendered: 'integer',
});

/** A document that a slice of a release touched: rendered once, after the last row has changed. */
export type PostponedDocument = {
  readonly releasing: number;
  readonly seq: number;
  readonly channel: string;
  readonly key: string;
  /** Place of its view in this build. */
  readonly view: number;
};
export const postponedDocument = table<PostponedDocument>('postponed_document', ['releasing', 'seq'], {
  releasing: 'bigint',
  seq: 'integer',
  channel: 'text',
  key: 'text',
  view: 'integer',
});

export type ErasedSubject = { readonly subject: string; readonly offset: number };
export const erasedSubject = table<ErasedSubject>('erased_subject', ['subject'], { subject: 'text', offset: 'bigint' });

/** Documents that have entered a windowed channel, in order of entering. */
export type WindowEntry = {
  readonly channel: string;
  readonly key: string;
  readonly kind: string;
  readonly seq: number;
  readonly evicted: boolean;
};
export const windowEntry = table<WindowEntry>('window_entry', ['channel', 'key'], {
  channel: 'text',
  key: 'text',
  kind: 'text',
  seq: 'integer',
  evicted: 'boolean',
});
export type WindowHead = { readonly channel: string; readonly kind: string; readonly entered: number };
export const windowHead = table<WindowHead>('window_head', ['channel', 'kind'], {
  channel: 'text',
  kind: 'text',
  entered: 'integer',
});

/** Erases the row type: the engine handles tables of all kinds alike. */
export const untyped = <R extends Row>(one: RowTable<R>): RowTable => one as unknown as RowTable;

/** "held since" in each channel of the parked stream: no reason and no text, only that it waits and since when. */
export const heldView = (heldChannels: (stream: string) => readonly string[]): DocumentView => ({
  kind: 'held',
  shows: [
    {
      table: untyped(heldStream),
      refs: (row) =>
        heldChannels((row as HeldStream).stream).map((channel) => ({
          channel,
          key: `held/${(row as HeldStream).stream}`,
        })),
    },
  ],
  reads: ({ key }) => [{ table: untyped(heldStream), where: { stream: key.slice('held/'.length) } }],
  render: ({ key }, rows) => {
    const held = rows.get(heldStream, { stream: key.slice('held/'.length) });
    return held ? { stream: held.stream, since: held.since } : null;
  },
});

/** The sender's last outcomes other than "applied". */
export const outcomesView: DocumentView = {
  kind: 'outcomes',
  shows: [
    {
      table: untyped(actorOutcomes),
      refs: (row) => [{ channel: `me/${(row as ActorOutcomes).actor}`, key: 'outcomes/last' }],
    },
  ],
  reads: ({ channel }) => [{ table: untyped(actorOutcomes), where: { actor: channel.slice('me/'.length) } }],
  render: ({ channel }, rows) => {
    const outcomes = rows.get(actorOutcomes, { actor: channel.slice('me/'.length) });
    return outcomes ? ({ list: outcomes.list } as unknown as JsonObject) : null;
  },
};
