/** `/screen`: one room on a wall. Clock and countdown are hidden until the server's time is known. */
import { useEffect, useMemo } from 'preact/hooks';
import type { FeedClient } from '#libs/feed-client';
import type { ConferenceDocument, RoomDocument } from '../../conference/conferences/documents.js';
import type { QaDocument, QuestionDocument } from '../../conference/questions/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { clock } from '../../conference/times.js';
import { viewRoom } from '../../conference/view.js';
import { Freshness } from '../shared/freshness.js';
import { createRenewal } from '../shared/renewal.js';
import { type Texts, textsFor } from '../shared/texts.js';
import { updatesHere } from '../shared/updates.js';
import { bodiesOf, bodyOf, serverNow, useChannel, useFeed } from '../shared/use-feed.js';
import { readLink, type ScreenLink } from './link.js';
import { Questions, Taken } from './questions.js';
import { Changes, Next, Now } from './sessions.js';
import { Join, Takeover, Ticker } from './updates.js';

export function ScreenPage() {
  const link = useMemo(readLink, []);
  const { language, texts } = useMemo(() => textsFor(navigator.languages), []);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return link ? <Screen link={link} language={language} texts={texts} /> : <Message text={texts.noRoom} />;
}

interface ScreenProps {
  readonly link: ScreenLink;
  readonly language: string;
  readonly texts: Texts;
}

function Screen({ link, language, texts }: ScreenProps) {
  const { conference, room: roomId, token = '' } = link;
  const renewal = useMemo(() => createRenewal({ token, actor: '', role: 'screen' }, conference), [token, conference]);
  const options = useMemo(
    () => ({
      url: location.origin,
      conference,
      class: 'screen' as const,
      getToken: renewal.get,
      channels: ['schedule', 'updates', 'join'],
    }),
    [conference, renewal],
  );
  const client = useFeed(options);
  const status = client.status();
  const about = bodyOf<ConferenceDocument>(client, 'schedule', 'conference/self');
  const room = roomId === undefined ? undefined : bodyOf<RoomDocument>(client, 'schedule', `room/${roomId}`);
  const now = serverNow(client);
  const view = useRoomView(client, room, now);

  if (status.state === 'refused')
    return <Message text={`${texts.refused} (${status.refusal?.code ?? ''} ${status.refusal?.message ?? ''})`} />;
  if (!about) return <Message text={texts.connecting} />;
  if (roomId === undefined) return <Choose client={client} texts={texts} />;
  if (!room) return <Message text={texts.unknownRoom} />;
  const shown = { texts, language, timeZone: about.timeZone, now: now ?? Date.now() };
  const updates = updatesHere(client, { room: room.id, session: view?.session?.id }, shown.now);
  const takeover = updates.emergency ?? updates.unconfirmed ?? updates.allClear;
  const held = view?.session ? client.documents('schedule').has(`held/session/${view.session.id}`) : false;
  return (
    <main class="screen">
      <header class="screen__head">
        <h1 class="screen__room" dir="auto">
          {room.name}
        </h1>
        <p class="screen__clock" data-testid="clock">
          {now === null ? '' : clock(now, about.timeZone, language)}
        </p>
      </header>
      {takeover ? (
        <Takeover view={updates} languages={about.languages} {...shown} />
      ) : (
        <div class="screen__body">
          <div>
            {view?.taken ? <Taken question={view.taken} texts={texts} /> : null}
            {view && <Now view={view.room} {...shown} small={view.taken !== undefined} />}
            {held && <p class="badge badge--warn">{texts.held}</p>}
          </div>
          <div class="screen__side">
            <div>
              {view && view.top.length > 0 && <Questions questions={view.top} texts={texts} />}
              {view && (
                <Changes view={view.room} rooms={bodiesOf<RoomDocument>(client, 'schedule', 'room')} {...shown} />
              )}
              {view && <Next view={view.room} {...shown} />}
            </div>
            <Join client={client} conference={conference} room={room.id} texts={texts} />
          </div>
        </div>
      )}
      {!takeover && <Ticker updates={updates.news} languages={about.languages} {...shown} />}
      <footer class="screen__foot">
        <span dir="auto">{about.title}</span>
        <Freshness status={status} {...shown} />
      </footer>
    </main>
  );
}

/** The room's schedule, and the questions of the session that is on (or next) there. */
function useRoomView(client: FeedClient, room: RoomDocument | undefined, now: number | null) {
  const sessions = bodiesOf<SessionDocument>(client, 'schedule', 'session');
  const view = room && now !== null ? viewRoom(room, sessions, now) : null;
  const session = view?.now?.session ?? view?.next.find(({ due }) => due)?.session;
  const channel = session ? `session/${session.id}/questions` : null;
  useChannel(client, channel);
  if (!view) return null;
  const questions = channel ? bodiesOf<QuestionDocument>(client, channel, 'question') : [];
  const qa = channel ? bodyOf<QaDocument>(client, channel, 'qa/state') : undefined;
  const taken = questions.find(({ id, state }) => state === 'taken' && id === qa?.taken);
  const top = questions
    .filter(({ state }) => state === 'approved')
    .sort(
      (a, b) =>
        (a.queued ?? Number.POSITIVE_INFINITY) - (b.queued ?? Number.POSITIVE_INFINITY) ||
        b.votes - a.votes ||
        (a.askedAt < b.askedAt ? -1 : 1),
    )
    .slice(0, 4);
  return { room: view, session, taken, top };
}

export interface Shown {
  readonly texts: Texts;
  readonly language: string;
  readonly timeZone: string;
  /** Server time, milliseconds since 1970. */
  readonly now: number;
}

function Message({ text }: { readonly text: string }) {
  return (
    <main class="message">
      <h1>Hallway</h1>
      <p role="status">{text}</p>
    </main>
  );
}

/** A link that names no room: the one who hangs the screen chooses, once. */
function Choose({ client, texts }: { readonly client: FeedClient; readonly texts: Texts }) {
  const rooms = bodiesOf<RoomDocument>(client, 'schedule', 'room').sort((a, b) => a.order - b.order);
  const address = (room: string) => `${location.search}&${new URLSearchParams({ room })}`;
  return (
    <main class="message">
      <h1>{texts.whichRoom}</h1>
      <ul>
        {rooms.map(({ id, name }) => (
          <li key={id}>
            <a href={address(id)} dir="auto">
              {name}
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}
