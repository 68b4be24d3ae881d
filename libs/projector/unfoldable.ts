/** Why an event cannot be folded now; it parks its stream. */
export class Unfoldable extends Error {
  override readonly name = 'Unfoldable';
}

/** For operators: what failed, without any text of the event. */
export const reasonOf = (error: unknown): string =>
  error instanceof Unfoldable
    ? error.message
    : `the projection failed: ${error instanceof Error ? error.name : 'unknown'}`;
