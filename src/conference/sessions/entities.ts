import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SessionDocument, SessionKind } from './documents.js';

/** All that a reschedule replaces, so that its way back restores it. */
export interface FormerSlot {
  readonly room: string;
  readonly start: string;
  readonly end: string;
  readonly expectedStart: string | null;
  readonly delayReason: string | null;
  readonly pinned: boolean;
}

@Entity('session')
export class SessionRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) room: string;
  @Column({ type: 'text' }) kind: SessionKind;
  @Column({ type: 'text' }) title: string;
  @Column({ type: 'text', nullable: true }) subtitle: string | null;
  @Column({ type: 'text', nullable: true }) abstract: string | null;
  @Column({ type: 'jsonb' }) speakers: readonly string[];
  @Column({ type: 'text', nullable: true }) track: string | null;
  @Column({ type: 'text', nullable: true }) language: string | null;
  @Column({ type: 'text', nullable: true }) url: string | null;
  @Column({ type: 'text' }) state: SessionDocument['state'];
  @Column({ type: 'timestamptz', name: 'planned_start' }) plannedStart: string;
  @Column({ type: 'timestamptz', name: 'planned_end' }) plannedEnd: string;
  @Column({ type: 'timestamptz', name: 'expected_start', nullable: true }) expectedStart: string | null;
  @Column({ type: 'timestamptz', name: 'actual_start', nullable: true }) actualStart: string | null;
  @Column({ type: 'timestamptz', name: 'actual_end', nullable: true }) actualEnd: string | null;
  @Column({ type: 'text', nullable: true }) because: string | null;
  /** Of the announced delay; `because` is the cancellation's. */
  @Column({ type: 'text', name: 'delay_reason', nullable: true }) delayReason: string | null;
  @Column({ type: 'jsonb' }) moves: readonly FormerSlot[];
  @Column({ type: 'boolean' }) pinned: boolean;
  @Column({ type: 'text', nullable: true }) recording: string | null;
}

@Entity('schedule_import')
export class ImportRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @Column({ type: 'timestamptz' }) at: string;
  @Column({ type: 'jsonb' }) counts: Readonly<Record<string, number>>;
}
