/** Another owner (or this one, by a newer claim) has the partition: nothing was written, and all that was cached is worthless. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The generation is no longer live or building, or was built by another version of the projections: nothing may be written to it. */
export class GenerationRetired extends Error {
  override readonly name = 'GenerationRetired';
}

/** The checkpoint does not belong to this log (restored, recreated, truncated). The partition is refused; never a silent jump. */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch';
}

/** A finished build could open fewer personal fields than the live generation: it is not switched to. */
export class MissingKeys extends Error {
  override readonly name = 'MissingKeys';
}
