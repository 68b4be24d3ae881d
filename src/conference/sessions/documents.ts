/** What people see of a session: key `session/<id>` in channel `schedule`. Planned, expected and actual times are separate facts. */

export const SESSION_KINDS = [
  'talk',
  'keynote',
  'workshop',
  'ama',
  'discussion',
  'breakout',
  'unconference',
  'social',
  'break',
] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

/** RFC 3339 instants, UTC. */
export interface Span {
  readonly start: string;
  readonly end: string;
}

export interface SessionDocument {
  readonly id: string;
  readonly room: string;
  readonly kind: SessionKind;
  readonly title: string;
  readonly subtitle: string | null;
  readonly abstract: string | null;
  readonly speakers: readonly string[];
  readonly track: string | null;
  readonly language: string | null;
  readonly url: string | null;
  readonly state: 'scheduled' | 'running' | 'ended' | 'cancelled';
  readonly planned: Span;
  /** A delay that was announced; null: none. */
  readonly expectedStart: string | null;
  readonly actual: { readonly start: string | null; readonly end: string | null };
  /** Of the delay or the cancellation. */
  readonly because: string | null;
  /** Where and when it was to be before it was rescheduled, latest last; a move and its way back leave nothing. */
  readonly before: readonly (Span & { readonly room: string })[];
  /** Moved by hand: imports keep its room and times. */
  readonly pinned: boolean;
  readonly recording: string | null;
}

/** Key `import/last`. */
export interface ImportDocument {
  readonly at: string;
  readonly counts: Readonly<Record<string, number>>;
}
