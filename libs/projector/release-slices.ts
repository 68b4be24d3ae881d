/** A release is written slice by slice; a waiting event that the database refuses holds its stream again, and the release ends there. */
import { defineLimit } from '#libs/limits';
import { LEASE_SECONDS } from './checkpoint.js';
import { isAboutEvents, isPassing } from './recovery.js';
import type { ReleaseSlice } from './release.js';
import { refusalOf } from './unfoldable.js';

/** Waiting events folded in one transaction, at most. */
export const MAX_RELEASED_EVENTS = defineLimit({
  name: 'projection.release.events',
  value: 200,
  unit: 'events',
  beyond: 'the next transaction of the same release goes on',
});
/** Bytes of waiting events folded in one transaction; the last one may exceed it. */
export const MAX_RELEASED_BYTES = defineLimit({
  name: 'projection.release.bytes',
  value: 4 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the next transaction of the same release goes on',
});
/** Documents rendered in one transaction, at most. */
export const MAX_RELEASED_DOCUMENTS = defineLimit({
  name: 'projection.release.documents',
  value: 500,
  unit: 'documents',
  beyond: 'the next transaction of the same release goes on',
});
/** Milliseconds of folding for one transaction: a part of the lease, of which writing needs another. */
export const MAX_RELEASE_MS = defineLimit({
  name: 'projection.release.ms',
  value: (LEASE_SECONDS * 1_000) / 6,
  unit: 'ms',
  beyond: 'the next transaction of the same release goes on',
});

export interface ReleaseParts {
  /** Folds and writes one slice. @returns whether it was the last */
  readonly attempt: (slice: ReleaseSlice) => Promise<boolean>;
  /** What the failed slice has read is not to be trusted. */
  readonly forget: () => void;
  /** The event that drops the other cannot be folded itself. */
  readonly giveUp: (error: unknown) => Promise<void>;
}

/** @throws whatever says nothing about the events */
export async function releaseInSlices({ attempt, forget, giveUp }: ReleaseParts): Promise<void> {
  const refused = new Map<number, string>();
  let events = MAX_RELEASED_EVENTS;
  let documents = MAX_RELEASED_DOCUMENTS;
  for (let failures = 0; ; ) {
    const end = performance.now() + MAX_RELEASE_MS;
    let tried: number | undefined;
    const slice: ReleaseSlice = {
      ...{ events, documents, refused },
      isOver: (bytes) => bytes >= MAX_RELEASED_BYTES || performance.now() >= end,
      onTry: (offset) => {
        tried ??= offset;
      },
    };
    try {
      if (await attempt(slice)) return;
      failures = 0;
    } catch (error) {
      forget();
      if (isPassing(error) || !isAboutEvents(error)) throw error;
      if (events > 1 || documents > 1) {
        events = Math.max(1, Math.floor(events / 4));
        documents = Math.max(1, Math.floor(documents / 4));
      } else if (++failures >= 2) {
        if (tried === undefined || refused.has(tried)) return giveUp(error);
        refused.set(tried, refusalOf(error));
        failures = 0;
      }
    }
  }
}
