/**
 * Whether a request is refused by load: judged once, by whoever sees it first. That is the telemetry, which begins a span for what is not
 * refused; without telemetry it is the server. This file loads nothing, for telemetry must be there before whatever it looks at.
 */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '#libs/protocol';

type Judge = (request: IncomingMessage) => Refusal | undefined;

const judged = new WeakMap<IncomingMessage, Refusal | null>();
let judge: Judge | undefined;

/** The one application of this process. */
export function judgeBy(by: Judge): void {
  judge = by;
}

export function refusalByLoad(request: IncomingMessage): Refusal | null {
  const known = judged.get(request);
  if (known !== undefined || !judge) return known ?? null;
  const refusal = judge(request) ?? null;
  judged.set(request, refusal);
  return refusal;
}
