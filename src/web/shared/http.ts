/** Calls to the service's HTTP door; refusals come back as errors with the service's own sentence. */

export class Refused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Problem {
  readonly code?: number;
  readonly detail?: string;
  readonly title?: string;
}

/** The latest that an answer said of the time: a device's own clock may be minutes off. Whole seconds. */
let dated: { readonly at: number; readonly now: number } | undefined;

/** Server time, milliseconds since 1970, by this device's monotonic clock; its own time until an answer has said one. */
export const serverNow = (): number => (dated ? dated.at + performance.now() - dated.now : Date.now());

/** @throws Refused (numbered), or TypeError while the service cannot be reached */
export async function call<T>(
  route: string,
  options: { readonly token?: string | undefined; readonly body?: object } = {},
): Promise<T> {
  const response = await fetch(route, {
    method: options.body ? 'POST' : 'GET',
    headers: {
      ...(options.body ? { 'content-type': 'application/json' } : {}),
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
    },
    ...(options.body ? { body: JSON.stringify(options.body) } : {}),
  });
  const at = Date.parse(response.headers.get('date') ?? '');
  if (!Number.isNaN(at)) dated = { at, now: performance.now() };
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  throw new Refused(problem.code ?? response.status, problem.detail ?? problem.title ?? response.statusText);
}
