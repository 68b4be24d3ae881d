import type { Status } from '#libs/feed-client';
import { when } from '../../conference/times.js';
import type { Texts } from './texts.js';

export interface FreshnessProps {
  readonly status: Status;
  readonly texts: Texts;
  readonly language: string;
  readonly timeZone: string;
}

/** A page never lies: live, or since when it is not. */
export function Freshness({ status, texts, language, timeZone }: FreshnessProps) {
  const now = status.serverNow ?? Date.now();
  const since = status.since === null ? '–' : when(status.since, now, timeZone, language);
  const text = {
    live: texts.live,
    connecting: texts.connecting,
    late: texts.feedLate(since),
    reconnecting: texts.lastUpdated(since),
    refused: texts.refused,
  }[status.state];
  return (
    <span
      class={`freshness ${status.state === 'live' ? '' : 'freshness--bad'}`}
      data-testid="freshness"
      data-state={status.state}
      role="status"
    >
      {status.state === 'live' ? '●' : '▲'} {text}
    </span>
  );
}
