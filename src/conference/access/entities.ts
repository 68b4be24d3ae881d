import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('moderator')
export class ModeratorRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) moderator: string;
  @Column({ type: 'jsonb' }) sessions: { readonly all: boolean; readonly ids: readonly string[] };
  @Column({ type: 'text', nullable: true, comment: 'personal' }) name: string | null;
}

@Entity('erased_person')
export class ErasedPersonRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) subject: string;
}
