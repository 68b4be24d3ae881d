/**
 * A topic can be deleted and made anew under a reader, and kafkajs reads on in the new one without a word. So the topic is looked at on
 * each join, with each heartbeat and before a batch, unless it was just looked at. To go unseen a topic would have to be made anew
 * and filled beyond the checkpoint within half a second.
 */
import { LogChanged } from '../port.js';

export interface PinWatchOptions {
  /** @throws LogChanged, LogUnavailable */
  readonly verify: () => Promise<unknown>;
  /** null: it is the pinned one. */
  readonly onLook: (changed: string | null) => void;
}

export interface PinWatch {
  /** @throws LogUnavailable */
  isPinned(): Promise<boolean>;
  /** The next question is answered by a new look. */
  forget(): void;
}

const LOOK_EVERY_MS = 500;

export function createPinWatch({ verify, onLook }: PinWatchOptions): PinWatch {
  let seenAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<boolean> | undefined;

  async function look(): Promise<boolean> {
    const started = performance.now();
    try {
      await verify();
    } catch (error) {
      if (!(error instanceof LogChanged)) throw error;
      onLook(error.message);
      return false;
    }
    onLook(null);
    seenAt = started;
    return true;
  }

  return {
    async isPinned() {
      if (performance.now() - seenAt < LOOK_EVERY_MS) return true;
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    forget() {
      seenAt = Number.NEGATIVE_INFINITY;
    },
  };
}
