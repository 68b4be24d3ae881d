/** Tokens end while their sockets are open: by time, or because they were revoked, their key was, or the database was restored. */
import type { Tokens } from '../tokens/tokens.js';
import type { Door } from './socket-door.js';

/**
 * Once for all sockets, and no timer for each: one of Node's reaches no further than 24.8 days, and fires at once beyond.
 * So late a socket may learn that its token has run out.
 */
const LOOK_MS = 1_000;

/** @returns ends it */
export function watchTokens(door: Door, tokens: Pick<Tokens, 'endOf' | 'now' | 'onChange'>): () => void {
  const followers = () => [...door.halls.values()].flatMap((hall) => [...hall.followers.all()]);
  const timer = setInterval(() => {
    const now = tokens.now();
    for (const follower of followers()) if (follower.verified.expiresAt <= now) door.refuse(follower, 'expired');
  }, LOOK_MS).unref();
  const unwatch = tokens.onChange(() => {
    for (const follower of followers()) {
      const ended = tokens.endOf(follower.verified);
      if (ended) door.refuse(follower, ended.refusal);
    }
  });
  return () => {
    clearInterval(timer);
    unwatch();
  };
}
