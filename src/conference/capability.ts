/**
 * A capability: one value that its folder exports, from which the doors, the projector, the OpenAPI and AsyncAPI documents and
 * the access table are derived. `capabilities.ts` is the only place that names them all.
 */

import type { z } from 'zod';
import type { NewEvent } from '#libs/event-log';
import type { Projection } from '#libs/projector';
import type { Refusal } from '#libs/protocol';

export type Role = 'organizer' | 'moderator' | 'operator' | 'attendee' | 'screen' | 'producer';

/** Who is asking: from a verified token. */
export interface Identity {
  readonly actor: string;
  readonly role: Role;
  /** Slug of the conference the token is for; '*' for an organizer or operator of the whole installation. */
  readonly conference: string;
}

/** Documents of the replica, internal channels included, at one head. */
export interface DecisionState {
  document<T>(channel: string, key: string): T | undefined;
  /** Living documents whose key begins with `<kind>/`. */
  documents<T>(channel: string, kind: string): readonly { readonly key: string; readonly body: T }[];
}

export interface DecisionContext {
  readonly conference: string;
  readonly identity: Identity;
  /** Wall clock of the decision; time limits are judged here and nowhere else. */
  readonly now: Date;
  readonly state: DecisionState;
  /** Id that the event at this index of the command will have: the id of the thing it creates. */
  eventId(index: number): string;
}

export interface EventSpec<S extends z.ZodObject = z.ZodObject> {
  readonly type: string;
  readonly version: number;
  readonly summary: string;
  /** Personal fields are marked by `personal()` of kernel.ts. */
  readonly schema: S;
  readonly example: z.input<S>;
  /** The command that a producer's event of this type is taken as; absent: it is not taken from outside. */
  readonly takenAs?: string;
  /** I10: the event that takes it back, or why there is none. */
  readonly inverse: string | { readonly none: string };
  /** Acts of moderation and organization are written to the audit. */
  readonly audited: boolean;
}

/** "A grant for whichever session will do": not a valid id, so that no session can be called so. */
export const ANY_SESSION = '*';

export interface CommandSpec<S extends z.ZodObject = z.ZodObject> {
  readonly type: string;
  readonly summary: string;
  readonly schema: S;
  readonly example: z.input<S>;
  readonly by: readonly Role[];
  /** Ids of the sessions a moderator must be granted for; absent: moderators need a grant for all sessions. */
  readonly session?: (data: z.output<S>, state: DecisionState) => string | readonly string[] | undefined;
  /** Possible in a closed conference too. */
  readonly afterClose?: boolean;
  /** Accepted however old the state is that it is decided on: the way out must not wait for what it is to set going. */
  readonly whileBehind?: boolean;
  /** Per actor; the time to wait is in the refusal. */
  readonly limit?: { readonly points: number; readonly perSeconds: number };
  /** Pure. No events: nothing to do ("no effect"). */
  decide(data: z.output<S>, context: DecisionContext): readonly NewEvent[] | Refusal;
}

/** Everybody who has a token. */
export const EVERYBODY: readonly Role[] = ['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer'];

/** How documents that left the window of a channel are read, over HTTP: newest first, by the rows they are made of. */
export interface OlderSpec {
  readonly kind: string;
  readonly table: string;
  /** From the parameters of the channel's pattern. */
  readonly where: (parameters: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** A number of the row, in the order in which documents entered. */
  readonly order: string;
}

export interface ChannelSpec {
  /** `schedule`, `session/:session/questions`, `me/:actor`, `_access` … */
  readonly pattern: string;
  readonly summary: string;
  /** Empty: internal. `actor` parameters must equal the asking actor; moderators need a grant for a `session` parameter where `granted`. */
  readonly by: readonly Role[];
  readonly granted?: boolean;
  readonly older?: OlderSpec;
}

export interface Capability {
  readonly name: string;
  /** Name of the stream that is its own; its "held since" stands in its channels. Most belong to a session's stream instead. */
  readonly stream?: string;
  readonly events: readonly EventSpec[];
  readonly commands: readonly CommandSpec[];
  readonly channels: readonly ChannelSpec[];
  readonly projections: readonly Projection[];
  /** TypeORM entities of its read models. */
  readonly entities: readonly (new () => object)[];
}

/** These two keep each schema's own types while the lists hold all kinds. */
export const event = <S extends z.ZodObject>(spec: EventSpec<S>): EventSpec => spec as unknown as EventSpec;
export const command = <S extends z.ZodObject>(spec: CommandSpec<S>): CommandSpec => spec as unknown as CommandSpec;
