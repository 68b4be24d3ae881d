/** What an error of the database or its connection means for the caller: try again, or look at the data. */

/** connection, resources, serialization and deadlock, operator intervention (08, 53, 40, 57). */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57']);
/** lock_not_available; idle_in_transaction_session_timeout and its kin end the session, the next one works. */
const TRANSIENT_STATES = new Set(['55P03', '55000', '25P03', '25P04', '25006']);
/** data_exception, integrity_constraint_violation. */
const DATA_CLASSES = new Set(['22', '23']);
/**
 * Says nothing about the data, whatever the statement: connection, transaction state, authorization, no such database or schema, rollback by
 * concurrency, resources, object state, intervention, the system itself.
 */
const NEVER_DATA_CLASSES = new Set(['08', '25', '28', '3D', '3F', '40', '53', '55', '57', '58', 'XX']);
/** insufficient_privilege, undefined_table. */
const NEVER_DATA_STATES = new Set(['42501', '42P01']);
/** Refusals that other data of the same shape would not meet: data, constraints, cardinality, limits of the program. */
const OF_ONE_DATUM = new Set(['21', '22', '23', '54']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
/** node-postgres reports these without a code. */
const LOST_CONNECTION =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client was closed and is not queryable)/;

/** Five-character SQLSTATE of a Postgres error, through wrappers such as TypeORM's; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !SOCKET_CODES.has(code) ? code : undefined;
}

/** True when the same work may succeed later without any change: connection lost, restart, deadlock, lock timeout. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return TRANSIENT_CLASSES.has(state.slice(0, 2)) || TRANSIENT_STATES.has(state);
  const code = codeOf(error);
  if (code !== undefined && SOCKET_CODES.has(code)) return true;
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  return error instanceof Error && LOST_CONNECTION.test(error.message);
}

/** True when the database refused the data itself: the same rows will be refused again. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && DATA_CLASSES.has(state.slice(0, 2));
}

/**
 * True when other data might have been taken: the work is to be tried in smaller parts. Wider than `isDataError`: what a limit or a mistake
 * of the program refuses depends on the data, too.
 */
export function mayBeAboutData(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return !NEVER_DATA_CLASSES.has(state.slice(0, 2)) && !NEVER_DATA_STATES.has(state);
  return error instanceof RangeError || error instanceof TypeError || codeOf(error) === 'ERR_STRING_TOO_LONG';
}

/** False for a refusal that says more about the schema or the program than about one event. */
export const isAboutOneDatum = (state: string): boolean => OF_ONE_DATUM.has(state.slice(0, 2));

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'driverError' in error ? codeOf(error.driverError) : undefined;
}
