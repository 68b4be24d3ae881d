/** `/c/:conf` and `/c/:conf/s/:session`: a conference in the hand of somebody who attends it. */
import { useEffect, useMemo } from 'preact/hooks';
import { withVisit } from '../shared/browser/local-store.js';
import { ConferencePage, type PageContext } from '../shared/conference-page.js';
import { identityFor, inFragment, takeFromFragment } from '../shared/identity.js';
import { pathTo, readPath } from '../shared/path.js';
import { textsFor } from '../shared/texts.js';
import { useActing } from './acting.js';
import { Overview } from './overview.js';
import { SessionPage } from './session-page.js';
import { type LiveTexts, liveTexts } from './texts.js';
import { Unsent } from './unsent.js';

export type LiveContext = PageContext<LiveTexts>;

export function LivePage() {
  const { conference, session: sessionId } = useMemo(() => readPath(location.pathname), []);
  const { language, texts } = useMemo(() => textsFor(navigator.languages, liveTexts), []);
  const identity = useMemo(() => identityFor(conference, ['attendee', 'moderator', 'organizer']), [conference]);
  useEffect(() => {
    // Attendees without a token, or with a new code, come in by the small page, which leads back to where they wanted to go.
    if (identity && !inFragment('code')) return;
    const code = takeFromFragment('code');
    const wanted = location.pathname + location.search + location.hash;
    const values = new URLSearchParams({ ...(code ? { code } : {}), to: wanted });
    location.replace(withVisit(`${pathTo(conference, 'join')}#${values}`));
  }, [identity, conference]);
  if (!identity) return <p class="page">{texts.connecting}</p>;
  return (
    <ConferencePage
      class="phone"
      channels={['schedule', 'updates', `me/${identity.actor}`]}
      onRefused={<a href={pathTo(conference, 'join')}>{texts.joinAgain}</a>}
      head={({ about }) => (
        <a href={pathTo(conference)} dir="auto">
          {about.title}
        </a>
      )}
      {...{ conference, identity, texts, language, sessionId }}
    >
      {(context) => <Live {...context} sessionId={sessionId} />}
    </ConferencePage>
  );
}

function Live({ sessionId, ...context }: LiveContext & { readonly sessionId: string | undefined }) {
  const acting = useActing(context);
  const { session, conference, texts } = acting;
  if (session) return <SessionPage {...acting} session={session} />;
  return (
    <>
      <Unsent {...acting} />
      {sessionId === undefined ? (
        <Overview {...acting} />
      ) : (
        <p role="alert">
          {texts.unknownSession} <a href={pathTo(conference)}>{texts.back}</a>
        </p>
      )}
    </>
  );
}
