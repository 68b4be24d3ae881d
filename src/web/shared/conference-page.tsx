/** What every page of a conference has: its feed, its acts with their notices, how fresh it is, an emergency over everything. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { FeedClient } from '#libs/feed-client';
import type { ClientClass } from '#libs/protocol';
import type { ConferenceDocument, RoomDocument } from '../../conference/conferences/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { isForgetful } from './browser/local-store.js';
import { Freshness } from './freshness.js';
import type { Identity } from './identity.js';
import { type Acts, Notices, useActs } from './notices.js';
import { createRenewal } from './renewal.js';
import type { Texts } from './texts.js';
import { Emergency, type UpdatesHere, updatesHere } from './updates.js';
import { bodiesOf, bodyOf, serverNow, useFeed } from './use-feed.js';
import { Zones } from './zones.js';

/** What the parts of a page need. @template Own texts of the page itself */
export interface PageContext<Own extends object> {
  readonly client: FeedClient;
  readonly acts: Acts;
  readonly conference: string;
  readonly identity: Identity;
  readonly texts: Texts & Own;
  readonly language: string;
  readonly about: ConferenceDocument;
  /** IANA name: the conference's. */
  readonly timeZone: string;
  /** Server time, milliseconds since 1970. */
  readonly now: number;
  readonly sessions: readonly SessionDocument[];
  /** In the conference's order. */
  readonly rooms: readonly RoomDocument[];
  /** The session that the path names. */
  readonly session: SessionDocument | undefined;
  readonly updates: UpdatesHere;
}

export interface ConferencePageProps<Own extends object>
  extends Pick<PageContext<Own>, 'conference' | 'identity' | 'texts' | 'language'> {
  readonly sessionId?: string | undefined;
  readonly class: ClientClass;
  readonly channels: readonly string[];
  /** Shown when the service refuses this identity. */
  readonly onRefused: ComponentChildren;
  readonly head: (context: PageContext<Own>) => ComponentChildren;
  readonly children: (context: PageContext<Own>) => ComponentChildren;
}

export function ConferencePage<Own extends object>(props: ConferencePageProps<Own>) {
  const { conference, texts, language, sessionId, onRefused, head, children } = props;
  const channels = props.channels.join(' ');
  const renewal = useMemo(() => createRenewal(props.identity, conference), [props.identity, conference]);
  // Its token is the one that is good now, also for what is asked over HTTP.
  const identity = { ...props.identity, token: renewal.current() };
  const options = useMemo(
    () => ({
      url: location.origin,
      conference,
      class: props.class,
      getToken: renewal.get,
      channels: channels.split(' '),
    }),
    [conference, renewal, props.class, channels],
  );
  const client = useFeed(options);
  const acts = useActs(client, texts);
  const status = client.status();
  const about = bodyOf<ConferenceDocument>(client, 'schedule', 'conference/self');
  const title = about?.title;
  useEffect(() => {
    document.documentElement.lang = language;
    if (title) document.title = title;
  }, [language, title]);
  if (!about)
    return (
      <main class="page">
        <h1>Hallway</h1>
        {status.state === 'refused' ? (
          <p role="alert">
            {texts.refused} ({status.refusal?.code} {status.refusal?.message}). {onRefused}
          </p>
        ) : (
          <p role="status">{texts.connecting}</p>
        )}
      </main>
    );
  const { timeZone } = about;
  const now = serverNow(client) ?? Date.now();
  const sessions = bodiesOf<SessionDocument>(client, 'schedule', 'session');
  const session = sessions.find(({ id }) => id === sessionId);
  const context: PageContext<Own> = {
    client,
    acts,
    conference,
    identity,
    texts,
    language,
    about,
    timeZone,
    now,
    sessions,
    rooms: bodiesOf<RoomDocument>(client, 'schedule', 'room').sort((a, b) => a.order - b.order),
    session,
    updates: updatesHere(client, session ? { room: session.room, session: session.id } : {}, now, ['updates', 'crew']),
  };
  return (
    <>
      <div class="page">
        <header class="page__head">
          {head(context)}
          <Freshness status={status} texts={texts} language={language} timeZone={timeZone} />
        </header>
        <main>
          <Emergency view={context.updates} texts={texts} language={language} timeZone={timeZone} />
          {children(context)}
        </main>
        <footer>
          {isForgetful() && (
            <p class="small" data-testid="forgetful">
              ▲ {texts.forgetful}
            </p>
          )}
          <Zones timeZone={timeZone} texts={texts} />
        </footer>
      </div>
      <Notices acts={acts} texts={texts} />
    </>
  );
}
