/** `/c/:conf/desk` and `/c/:conf/desk/:session`: a moderator's desk. */
import { useMemo } from 'preact/hooks';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { when } from '../../conference/times.js';
import { ConferencePage, type PageContext } from '../shared/conference-page.js';
import { identityFor } from '../shared/identity.js';
import { pathTo, readPath } from '../shared/path.js';
import { textsFor } from '../shared/texts.js';
import { SessionDesk } from './session-desk.js';
import { type DeskTexts, deskTexts } from './texts.js';

export type DeskContext = PageContext<DeskTexts>;

export function DeskPage() {
  const { conference, session: sessionId } = useMemo(() => readPath(location.pathname), []);
  const { language, texts } = useMemo(() => textsFor(navigator.languages, deskTexts), []);
  const identity = useMemo(() => identityFor(conference, ['moderator', 'organizer']), [conference]);
  if (!identity)
    return (
      <main class="page">
        <h1>{texts.desk}</h1>
        <p role="alert">{texts.needLink}</p>
      </main>
    );
  return (
    <ConferencePage
      class="desk"
      channels={['schedule', 'updates', 'crew']}
      onRefused={texts.needLink}
      head={({ about }) => (
        <span>
          {texts.desk} ·{' '}
          <a href={pathTo(conference, 'desk')} dir="auto">
            {about.title}
          </a>
        </span>
      )}
      {...{ conference, identity, texts, language, sessionId }}
    >
      {(context) => <Desk {...context} />}
    </ConferencePage>
  );
}

function Desk(context: DeskContext) {
  const { client, session, texts } = context;
  const refused = session ? client.refusals().get(`session/${session.id}/desk`) : undefined;
  if (session && !refused) return <SessionDesk {...context} session={session} />;
  return (
    <>
      {refused && (
        <p role="alert">
          {texts.nothingGranted} ({refused.code} {refused.message})
        </p>
      )}
      <Choose {...context} />
    </>
  );
}

/** Running ones first, then what comes, then what was. */
function Choose({ sessions, rooms, conference, texts, language, timeZone, now }: DeskContext) {
  const rank = ({ state, planned }: SessionDocument) =>
    state === 'running' ? 0 : state === 'scheduled' && Date.parse(planned.end) > now ? 1 : 2;
  const sorted = [...sessions]
    .filter(({ state }) => state !== 'cancelled')
    .sort((a, b) => rank(a) - rank(b) || Date.parse(a.planned.start) - Date.parse(b.planned.start));
  return (
    <>
      <h1>{texts.choose}</h1>
      <ul>
        {sorted.map((session) => (
          <li class="card" key={session.id}>
            <span class="tabular">{when(Date.parse(session.planned.start), now, timeZone, language)}</span>{' '}
            <span class="faint" dir="auto">
              {rooms.find(({ id }) => id === session.room)?.name ?? session.room}
            </span>{' '}
            <a href={pathTo(conference, 'desk', session.id)} dir="auto">
              {session.title}
            </a>{' '}
            {session.state === 'running' && <span class="badge badge--accent">{texts.running}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
