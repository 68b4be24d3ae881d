/** `/c/:conf` and `/c/:conf/s/:session`: a conference in the hand of somebody who attends it. */
import { useEffect, useMemo } from 'preact/hooks';
import { ConferencePage, type PageContext } from '../shared/conference-page.js';
import { identityFor } from '../shared/identity.js';
import { pathTo, readPath } from '../shared/path.js';
import { textsFor } from '../shared/texts.js';
import { Overview } from './overview.js';
import { SessionPage } from './session-page.js';
import { type LiveTexts, liveTexts } from './texts.js';

export type LiveContext = PageContext<LiveTexts>;

export function LivePage() {
  const { conference, session: sessionId } = useMemo(() => readPath(location.pathname), []);
  const { language, texts } = useMemo(() => textsFor(navigator.languages, liveTexts), []);
  const identity = useMemo(() => identityFor(conference, ['attendee', 'moderator', 'organizer']), [conference]);
  useEffect(() => {
    // Whoever has a code or nothing at all comes in by the small page.
    if (!identity || location.hash.includes('code=')) location.replace(pathTo(conference, 'join') + location.hash);
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
      {(context) => {
        const { session } = context;
        if (session) return <SessionPage {...context} session={session} />;
        if (sessionId === undefined) return <Overview {...context} />;
        return (
          <p role="alert">
            {texts.unknownSession} <a href={pathTo(conference)}>{texts.back}</a>
          </p>
        );
      }}
    </ConferencePage>
  );
}
