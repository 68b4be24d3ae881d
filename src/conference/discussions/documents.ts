/** What people see of a discussion. An erased person's text reads `[erased]`. */

/** Key `discussion/state` in channel `session/<id>/discussion`. */
export interface DiscussionDocument {
  readonly open: boolean;
  readonly topic: string;
  /** Messages that are shown, those beyond the window included. */
  readonly count: number;
}

/** Key `message/<id>` in channel `session/<id>/discussion`: the last 500 that are neither hidden nor withdrawn; older ones over HTTP. */
export interface MessageDocument {
  readonly id: string;
  readonly text: string;
  /** null: anonymous. */
  readonly name: string | null;
  readonly postedAt: string;
  readonly edited: boolean;
  /** It was taken over as a question: that question's id. */
  readonly question: string | null;
}

/** Key `message/<id>` in channel `session/<id>/desk`: the hidden ones. */
export interface HiddenMessageDocument extends MessageDocument {
  readonly because: string;
  readonly actor: string;
}

/** Key `message/<id>` in channel `me/<actor>`: own messages, the last 100 of a conference. */
export interface MyMessageDocument {
  readonly session: string;
  readonly text: string;
  readonly state: MessageState;
  readonly because: string | null;
}

/** Key `message/<id>` in the internal channel `_authors`. */
export interface MessageAuthorDocument {
  readonly author: string;
  readonly session: string;
  readonly state: MessageState;
  readonly question: string | null;
}

export type MessageState = 'shown' | 'hidden' | 'withdrawn';
