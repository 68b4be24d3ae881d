/** Updates as people read them; what holds and for how long is decided by `viewUpdates`. */
import type { ComponentChildren } from 'preact';
import type { FeedClient } from '#libs/feed-client';
import { when } from '../../conference/times.js';
import type { UpdateDocument } from '../../conference/updates/documents.js';
import { type Place, textOf, unconfirmed, viewUpdates } from '../../conference/view-updates.js';
import type { Texts } from './texts.js';
import { bodiesOf } from './use-feed.js';

export interface Shown {
  readonly texts: Texts;
  readonly language: string;
  /** IANA name: the conference's. */
  readonly timeZone: string;
}

/** @param now server time, milliseconds since 1970 */
export function updatesHere(client: FeedClient, place: Place, now: number, channels: readonly string[] = ['updates']) {
  const all = channels.flatMap((channel) => bodiesOf<UpdateDocument>(client, channel, 'update'));
  const { state, since } = client.status();
  return { ...viewUpdates(all, place, now), unconfirmed: unconfirmed(all, state === 'live' ? null : since, now) };
}

export type UpdatesHere = ReturnType<typeof updatesHere>;

export function Emergency({ view, ...shown }: Shown & { readonly view: UpdatesHere }) {
  const { texts } = shown;
  if (view.emergency) {
    const { drill } = view.emergency;
    return (
      <section class={`emergency ${drill ? 'emergency--drill' : ''}`} role="alert" data-testid="emergency">
        <h2>{drill ? texts.drill : texts.emergency}</h2>
        <UpdateText update={view.emergency} language={shown.language} />
      </section>
    );
  }
  if (view.unconfirmed)
    return (
      <section class="emergency" role="alert" data-testid="unconfirmed">
        <h2>{texts.unconfirmed}</h2>
        <UpdateText update={view.unconfirmed} language={shown.language} />
      </section>
    );
  if (!view.allClear) return null;
  return (
    <section class="emergency emergency--clear" role="status" data-testid="all-clear">
      <h2>{texts.allClear}</h2>
    </section>
  );
}

export function UpdateText({ update, language }: { readonly update: UpdateDocument; readonly language: string }) {
  const said = textOf(update, [language, ...navigator.languages.map((one) => one.slice(0, 2))]);
  return (
    <p class="pre" dir="auto" lang={said?.language}>
      {said?.text}
    </p>
  );
}

interface UpdateItemProps extends Shown {
  /** Server time, milliseconds since 1970. */
  readonly now: number;
  readonly update: UpdateDocument;
  readonly children?: ComponentChildren;
}

export function UpdateItem({ update, children, now, ...shown }: UpdateItemProps) {
  const { texts, language, timeZone } = shown;
  return (
    <li class={`update update--${update.severity}`}>
      <UpdateText update={update} language={language} />
      <p class="small faint">
        {when(Date.parse(update.postedAt), now, timeZone, language)}
        {update.state === 'amended' && ` · ${texts.amended}`}
        {update.sponsor && ` · ${texts.sponsored(update.sponsor.name)}`}
        {update.url && (
          <>
            {' · '}
            <a href={update.url} rel="noreferrer noopener" target="_blank">
              {new URL(update.url).hostname}
            </a>
          </>
        )}
      </p>
      {children}
    </li>
  );
}
