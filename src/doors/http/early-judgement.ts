/**
 * Whether a request is refused by load: judged once, by whoever sees it first. That is the telemetry, which begins a span for what is not
 * refused; without telemetry it is the server. This file loads nothing, for telemetry must be there before whatever it looks at.
 */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '#libs/protocol';

/** Refused, or on its way until `end`; undefined: no load is counted for it. */
type Judge = (request: IncomingMessage) => Refusal | { end(): void } | undefined;

const judged = new WeakMap<IncomingMessage, Refusal | null>();
const onTheirWay = new WeakMap<IncomingMessage, () => void>();
let judge: Judge | undefined;

/** The one application of this process. */
export function judgeBy(by: Judge): void {
  judge = by;
}

export function refusalByLoad(request: IncomingMessage): Refusal | null {
  const known = judged.get(request);
  if (known !== undefined || !judge) return known ?? null;
  const judgement = judge(request);
  const refusal = judgement && 'code' in judgement ? judgement : null;
  if (judgement && 'end' in judgement) onTheirWay.set(request, () => judgement.end());
  judged.set(request, refusal);
  return refusal;
}

/** It was answered, or its connection has ended. */
export function requestOver(request: IncomingMessage): void {
  onTheirWay.get(request)?.();
}
