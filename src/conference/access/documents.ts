/** What doors and deciders must know of people (the internal channel `_access`), and what organizers see of it. */

/** Key `moderator/<actor>` in channel `_access`. */
export interface ModeratorDocument {
  readonly moderator: string;
  readonly sessions: 'all' | readonly string[];
}

/** Key `moderator/<actor>` in channel `moderators`. */
export interface NamedModeratorDocument extends ModeratorDocument {
  readonly name: string | null;
}

/** Key `erased/<actor>` in channel `_access`. */
export interface ErasedDocument {
  readonly subject: string;
}
