/** What every reader of schedules produces, whatever the format: instants instead of strings, ids that stay, and a list of oddities. */

export interface ParsedSession {
  /** The source's guid, or derived from its slug or id. */
  readonly id: string;
  readonly title: string;
  readonly subtitle?: string;
  readonly abstract?: string;
  /** RFC 3339 instants, UTC. */
  readonly start: string;
  readonly end: string;
  /** Id of the room. */
  readonly room: string;
  readonly type?: string;
  readonly track?: string;
  readonly language?: string;
  readonly speakers: readonly string[];
  readonly url?: string;
}

export interface ParsedRoom {
  readonly id: string;
  readonly name: string;
  /** Seats, if the source says. */
  readonly capacity?: number;
}

/** Something that was read leniently; shown to the one who imports. */
export interface Oddity {
  /** Where: session id, room or the file as a whole. */
  readonly at: string;
  readonly what: string;
}

export interface ParsedSchedule {
  readonly acronym?: string;
  readonly title: string;
  readonly version?: string;
  /** IANA name, if the source gives a valid one. */
  readonly timeZone?: string;
  /** HH:MM at which a conference day ends. */
  readonly dayChange?: string;
  readonly rooms: readonly ParsedRoom[];
  readonly sessions: readonly ParsedSession[];
  readonly odd: readonly Oddity[];
}

/** Id of the conference that an acronym stands for; the way back from `acronymOf` of the exports. */
export const slugFrom = (acronym: string): string =>
  acronym
    .toLowerCase()
    .replace(/_+$/, '')
    .replaceAll('_', '-')
    .replaceAll(/[^a-z0-9-]+/g, '-');
