import { defineLimit } from '#libs/limits';
import { sqlState } from '#libs/postgres';

/** Why an event cannot be folded now; it parks its stream. */
export class Unfoldable extends Error {
  override readonly name = 'Unfoldable';
}

/** Characters of a reason that is kept. */
export const MAX_REASON = defineLimit({
  name: 'projection.parked.reason',
  value: 300,
  unit: 'characters',
  beyond: 'the reason is cut',
});

/** For operators: what failed, without any text of the event. */
export const reasonOf = (error: unknown): string =>
  error instanceof Unfoldable ? plain(error.message) : `the projection failed: ${nameOf(error)}`;

/** Why the whole command could not be written; a database quotes the values it refuses, so never its message. */
export function refusalOf(error: unknown): string {
  const state = sqlState(error);
  return state ? `the database refused it (${state})` : `its rows or documents cannot be made (${nameOf(error)})`;
}

/** Names of fields may come from outside: what could not be stored must not make the reason unstorable, too. */
export const plain = (text: string): string => text.replace(/[^ -~]/g, '?').slice(0, MAX_REASON);

/** ProjectionFailed says where; its cause says what. */
const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? `${error.name}: ${error.cause.name}` : error.name;
};
