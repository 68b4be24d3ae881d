import type { Held } from './channel-state.js';
import type { EncodedFrame } from './types.js';

/** Text of a `Frame` (libs/protocol) by concatenation: bodies are already JSON and are not parsed again. */
export function encodeFrame(
  at: { readonly epoch: string; readonly channel: string; readonly from: number | null; readonly to: number },
  documents: readonly Held[],
): EncodedFrame {
  const entries = documents.map(({ key, version, json }) => `[${JSON.stringify(key)},${version},${json ?? 'null'}]`);
  const trace = newestSampled(documents);
  const appendedAt = documents.reduce((newest, document) => Math.max(newest, document.appendedAt), 0);
  const json =
    `{"epoch":${JSON.stringify(at.epoch)},"channel":${JSON.stringify(at.channel)},"from":${at.from},"to":${at.to},` +
    `"entries":[${entries.join(',')}]${trace ? `,"traceparent":${JSON.stringify(trace)}` : ''}` +
    `${appendedAt > 0 ? `,"appendedAt":${Math.round(appendedAt)}` : ''}}`;
  return {
    channel: at.channel,
    from: at.from,
    to: at.to,
    json,
    appendedAt,
    traceparents: documents.map(({ traceparent }) => traceparent),
  };
}

function newestSampled(documents: readonly Held[]): string | undefined {
  let newest: Held | undefined;
  for (const document of documents) {
    const sampled = document.traceparent?.endsWith('-01');
    if (sampled && document.version > (newest?.version ?? -1)) newest = document;
  }
  return newest?.traceparent ?? undefined;
}
