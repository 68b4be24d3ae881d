import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Audience, Severity, UpdateDocument } from './documents.js';

@Entity('update')
export class UpdateRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'jsonb' }) texts: Readonly<Record<string, string>>;
  @Column({ type: 'text' }) severity: Severity;
  @Column({ type: 'jsonb' }) audience: Audience;
  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true }) expiresAt: string | null;
  @Column({ type: 'text', nullable: true }) url: string | null;
  @Column({ type: 'jsonb', nullable: true }) sponsor: UpdateDocument['sponsor'];
  @Column({ type: 'boolean' }) drill: boolean;
  @Column({ type: 'text' }) state: UpdateDocument['state'];
  @Column({ type: 'timestamptz', name: 'posted_at' }) postedAt: string;
  @Column({ type: 'timestamptz', name: 'changed_at', nullable: true }) changedAt: string | null;
  @Column({ type: 'timestamptz', name: 'confirmed_at' }) confirmedAt: string;
}
