import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MessageState } from './documents.js';

/** One per session whose discussion was ever opened. */
@Entity('discussion')
export class DiscussionRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) session: string;
  @Column({ type: 'boolean' }) open: boolean;
  @Column({ type: 'text' }) topic: string;
  @Column({ type: 'int' }) count: number;
  /** Messages ever posted: gives the next its place. */
  @Column({ type: 'int' }) posted: number;
}

@Entity('discussion_message')
export class DiscussionMessageRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) session: string;
  @Column({ type: 'text' }) author: string;
  @Column({ type: 'text', comment: 'personal' }) text: string;
  @Column({ type: 'text', nullable: true, comment: 'personal' }) name: string | null;
  @Column({ type: 'text' }) state: MessageState;
  @Column({ type: 'text', nullable: true }) because: string | null;
  /** Who hid or restored it. */
  @Column({ type: 'text', nullable: true }) actor: string | null;
  @Column({ type: 'boolean' }) edited: boolean;
  @Column({ type: 'text', nullable: true }) question: string | null;
  @Column({ type: 'timestamptz', name: 'posted_at' }) postedAt: string;
  /** Place in the discussion, from 1. */
  @Column({ type: 'int' }) seq: number;
}
