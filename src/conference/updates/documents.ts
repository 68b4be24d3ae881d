/** What people see of updates. When one expires, is confirmed or "all clear" is for `viewUpdates` to say. */

export const SEVERITIES = ['info', 'notice', 'urgent', 'emergency'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** An emergency holds for so long after it was posted or renewed, and its "all clear" after it was retracted. */
export const EMERGENCY_VALID_MS = 15 * 60_000;
export const ALL_CLEAR_MS = 5 * 60_000;

export type Audience =
  | { readonly to: 'all' }
  | { readonly to: 'crew' }
  | { readonly to: 'rooms'; readonly rooms: readonly string[] }
  | { readonly to: 'sessions'; readonly sessions: readonly string[] };

/** Key `update/<id>` in channel `updates` (the last 200), for crew in channel `crew`. */
export interface UpdateDocument {
  readonly id: string;
  /** By language; empty once it is retracted. */
  readonly texts: Readonly<Record<string, string>>;
  readonly severity: Severity;
  readonly audience: Audience;
  readonly expiresAt: string | null;
  readonly url: string | null;
  readonly sponsor: { readonly name: string; readonly booth: string | null } | null;
  /** An exercise: it must look different. */
  readonly drill: boolean;
  readonly state: 'posted' | 'amended' | 'retracted';
  readonly postedAt: string;
  /** When it was amended or retracted. */
  readonly changedAt: string | null;
  /** An emergency: when it was posted or last renewed. */
  readonly confirmedAt: string;
}
