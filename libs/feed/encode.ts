import type { Held } from './channel-state.js';
import type { EncodedFrame } from './types.js';

/** Text of a `Frame` (libs/protocol) by concatenation: bodies are already JSON and are not parsed again. */
export function encodeFrame(
  at: {
    readonly epoch: string;
    readonly channel: string;
    readonly from: number | null;
    readonly to: number;
    readonly proof: string | undefined;
  },
  documents: readonly Held[],
): EncodedFrame {
  const entries = documents.map(({ key, version, json }) => `[${JSON.stringify(key)},${version},${json ?? 'null'}]`);
  const marks = JSON.stringify(documents.map(({ json, mark }) => (json === null ? '' : mark)));
  const trace = newestSampled(documents);
  const appendedAt = oldest(documents);
  const json =
    `{"epoch":${JSON.stringify(at.epoch)},"channel":${JSON.stringify(at.channel)},"from":${at.from},"to":${at.to},` +
    `${at.proof === undefined ? '' : `"proof":${JSON.stringify(at.proof)},`}"entries":[${entries.join(',')}],"marks":${marks}${trace ? `,"traceparent":${JSON.stringify(trace)}` : ''}` +
    `${appendedAt > 0 ? `,"appendedAt":${Math.round(appendedAt)}` : ''}}`;
  return {
    channel: at.channel,
    from: at.from,
    to: at.to,
    json,
    appendedAt,
    ...(trace ? { traceparent: trace } : {}),
    traceparents: documents.map(({ traceparent }) => traceparent),
  };
}

/** Who waited longest counts: after a stall the newest was appended just now, and a frame judged by it would say that there was none. */
function oldest(documents: readonly Held[]): number {
  let found = Number.POSITIVE_INFINITY;
  for (const { appendedAt } of documents) if (appendedAt > 0 && appendedAt < found) found = appendedAt;
  return Number.isFinite(found) ? found : 0;
}

function newestSampled(documents: readonly Held[]): string | undefined {
  let newest: Held | undefined;
  for (const document of documents) {
    const sampled = document.traceparent?.endsWith('-01');
    if (sampled && document.version > (newest?.version ?? -1)) newest = document;
  }
  return newest?.traceparent ?? undefined;
}
