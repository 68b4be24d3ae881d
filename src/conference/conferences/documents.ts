/** What people see of a conference and its rooms, in channel `schedule`. */

/** Key `conference/self`. */
export interface ConferenceDocument {
  readonly title: string;
  /** IANA name; the reference for all times shown. */
  readonly timeZone: string;
  /** HH:MM at which a conference day ends. */
  readonly dayChange: string;
  readonly languages: readonly string[];
  readonly state: 'open' | 'closed';
}

/** Key `room/<id>`. */
export interface RoomDocument {
  readonly id: string;
  readonly name: string;
  readonly order: number;
  readonly capacity: number | null;
  readonly floor: string | null;
  readonly full: boolean;
}

/** Key `join/code` in channel `join`, for doors in the internal channel `_access`. */
export interface JoinCodeDocument {
  readonly code: string;
}
