/** What people see of questions. An erased person's text reads `[erased]`. */

export type QuestionState = 'pending' | 'approved' | 'taken' | 'answered' | 'dismissed' | 'withdrawn';

/** Key `question/<id>` in channel `session/<id>/questions`: approved, taken and answered ones. */
export interface QuestionDocument {
  readonly id: string;
  readonly text: string;
  /** null: anonymous. */
  readonly name: string | null;
  readonly votes: number;
  readonly state: QuestionState;
  readonly askedAt: string;
  readonly answer: string | null;
  /** Place in the order that the desk made by hand, lower first; null: none. */
  readonly queued: number | null;
}

/** Key `question/<id>` in channel `session/<id>/desk`: every question. */
export interface DeskQuestionDocument extends QuestionDocument {
  readonly because: string | null;
  /** Who acted on it last. */
  readonly actor: string | null;
  readonly edited: boolean;
}

/** Key `qa/state` in channel `session/<id>/questions`. */
export interface QaDocument {
  readonly open: boolean;
  readonly mode: 'pre-moderated' | 'open';
  /** Voting is closed too. */
  readonly frozen: boolean;
  readonly taken: string | null;
  readonly waiting: number;
  /** Dismissals by reason; texts given as a reason count as "other". */
  readonly dismissed: Readonly<Record<string, number>>;
}

/** Key `session/<id>` in channel `me/<actor>`. */
export interface MyQuestionsDocument {
  readonly questions: readonly {
    readonly id: string;
    readonly text: string;
    readonly state: QuestionState;
    readonly because: string | null;
    readonly votes: number;
  }[];
  readonly votes: readonly string[];
}

/** Key `question/<id>` in the internal channel `_authors`. */
export interface AuthorDocument {
  readonly author: string;
  readonly session: string;
  readonly askedAt: string;
  readonly state: QuestionState;
  /** A moderator has let it through: rewording it would pass unread. */
  readonly reviewed: boolean;
}

export const DISMISSAL_REASONS = ['duplicate', 'off-topic', 'not-a-question', 'unkind', 'out-of-time'] as const;
