import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('conference')
export class ConferenceRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @Column({ type: 'text' }) title: string;
  @Column({ type: 'text', name: 'time_zone' }) timeZone: string;
  @Column({ type: 'text', name: 'day_change' }) dayChange: string;
  @Column({ type: 'jsonb' }) languages: readonly string[];
  @Column({ type: 'text', name: 'join_code' }) joinCode: string;
  @Column({ type: 'text' }) state: 'open' | 'closed';
}

@Entity('room')
export class RoomRow {
  @PrimaryColumn({ type: 'text' }) conference: string;
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'int', name: 'display_order' }) order: number;
  @Column({ type: 'int', nullable: true }) capacity: number | null;
  @Column({ type: 'text', nullable: true }) floor: string | null;
  @Column({ type: 'boolean' }) full: boolean;
}
