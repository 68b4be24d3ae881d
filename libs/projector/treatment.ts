/**
 * D1: what is done with an event whose transaction the database refuses. It is folded; if that fails, it is parked; if that fails, too, it
 * is quarantined: its bytes become a dead letter, and nothing is read or written by its texts.
 */
export interface Treatment {
  readonly step: 'park' | 'quarantine';
  /** For operators, without any text of the event. */
  readonly reason: string;
}

/** By offset; events without one are folded. */
export type Treatments = ReadonlyMap<bigint, Treatment>;
