import type { DecisionState } from './capability.js';

/** The part of a replica that deciders read. */
export interface DocumentReader {
  document(channel: string, key: string): { readonly body: unknown } | undefined;
  documents(channel: string): readonly { readonly key: string; readonly body: unknown }[];
}

export function stateOf(reader: DocumentReader): DecisionState {
  return {
    document: <T>(channel: string, key: string) => reader.document(channel, key)?.body as T | undefined,
    documents: <T>(channel: string, kind: string) =>
      reader.documents(channel).filter(({ key }) => key.startsWith(`${kind}/`)) as unknown as readonly {
        readonly key: string;
        readonly body: T;
      }[],
  };
}

/** Of a conference that does not exist yet. */
export const emptyState: DecisionState = stateOf({ document: () => undefined, documents: () => [] });
