import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { QaDocument, QuestionState } from './documents.js';

/** One per session whose questions were ever opened. */
@Entity('qa')
export class QaRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) session: string;
  @Column({ type: 'boolean' }) open: boolean;
  @Column({ type: 'text' }) mode: QaDocument['mode'];
  @Column({ type: 'boolean' }) frozen: boolean;
  @Column({ type: 'text', nullable: true }) taken: string | null;
  @Column({ type: 'int' }) waiting: number;
  @Column({ type: 'double precision' }) queue: number;
  @Column({ type: 'jsonb' }) dismissed: Readonly<Record<string, number>>;
}

@Entity('question')
export class QuestionRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) session: string;
  @Column({ type: 'text' }) author: string;
  @Column({ type: 'text', comment: 'personal' }) text: string;
  @Column({ type: 'text', nullable: true, comment: 'personal' }) name: string | null;
  @Column({ type: 'text' }) state: QuestionState;
  @Column({ type: 'int' }) votes: number;
  @Column({ type: 'text', nullable: true }) because: string | null;
  @Column({ type: 'text', nullable: true }) actor: string | null;
  @Column({ type: 'text', nullable: true, comment: 'personal' }) answer: string | null;
  @Column({ type: 'double precision', nullable: true }) queued: number | null;
  /** Reviewed by a moderator. */
  @Column({ type: 'boolean' }) reviewed: boolean;
  /** States to go back to, last one last: each act of the desk leaves one, its inverse takes it. */
  @Column({ type: 'jsonb' }) past: readonly QuestionState[];
  @Column({ type: 'boolean' }) edited: boolean;
  @Column({ type: 'timestamptz', name: 'asked_at' }) askedAt: string;
}

@Entity('question_vote')
export class QuestionVoteRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) question: string;
  @PrimaryColumn({ type: 'text' }) voter: string;
  @Column({ type: 'text' }) session: string;
}
