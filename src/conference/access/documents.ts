/** Internal documents of channel `_access`: what doors and deciders must know of people. */

/** Key `moderator/<actor>`. */
export interface ModeratorDocument {
  readonly moderator: string;
  readonly sessions: 'all' | readonly string[];
}

/** Key `erased/<actor>`. */
export interface ErasedDocument {
  readonly subject: string;
}
