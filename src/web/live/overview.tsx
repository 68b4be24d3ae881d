/** Now and next over all rooms, what changed since one looked, updates, and the programme. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RoomDocument } from '../../conference/conferences/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { clock, when } from '../../conference/times.js';
import { viewRoom } from '../../conference/view.js';
import { load, save } from '../shared/browser/local-store.js';
import { inFragment } from '../shared/identity.js';
import { pathTo } from '../shared/path.js';
import { UpdateItem } from '../shared/updates.js';
import type { LiveContext } from './live-page.js';
import { type Difference, differences, type Looked, lookedAt, parseLooked } from './since.js';

const MAX_UPDATES = 20;

export function Overview(props: LiveContext) {
  const { about, rooms, texts, language, timeZone, now } = props;
  const updates = props.updates.news;
  return (
    <>
      <h1 dir="auto">{about.title}</h1>
      <Changed {...props} />
      {updates.length > 0 && (
        <section aria-labelledby="updates">
          <h2 id="updates">{texts.updates}</h2>
          <ul data-testid="updates">
            {updates.slice(0, MAX_UPDATES).map((update) => (
              <UpdateItem key={update.id} {...{ update, texts, language, timeZone, now }} />
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="rooms">
        <h2 id="rooms">{texts.rooms}</h2>
        <div class="columns">
          {rooms.map((room) => (
            <Room key={room.id} room={room} {...props} />
          ))}
        </div>
      </section>
      <Programme {...props} />
    </>
  );
}

function Room({ room, ...context }: LiveContext & { readonly room: RoomDocument }) {
  const { sessions, now, texts, language, timeZone } = context;
  const view = viewRoom(room, sessions, now);
  const next = view.next[0];
  const time = (instant: number) => when(instant, now, timeZone, language);
  const place = useRef<HTMLElement>(null);
  // The code on the room's screen led here.
  const wanted = inFragment('room') === room.id;
  useEffect(() => {
    if (wanted) place.current?.scrollIntoView({ block: 'center' });
  }, [wanted]);
  return (
    <article
      class={`card ${wanted ? 'card--strong' : ''}`}
      aria-label={room.name}
      data-testid={`room-${room.id}`}
      data-wanted={wanted}
      ref={place}
    >
      <h3 dir="auto">
        {room.name} {room.floor && <span class="faint small">{room.floor}</span>}
      </h3>
      {view.now ? (
        <p>
          <span class="badge badge--accent">{texts.now}</span> <SessionLink {...context} session={view.now.session} />{' '}
          <span class="faint small tabular">
            {view.now.minutesOver === null
              ? texts.minutesLeft(view.now.minutesLeft ?? 0)
              : texts.overrun(view.now.minutesOver)}
          </span>
        </p>
      ) : (
        <p class="faint">{next ? texts.nothingNow : texts.nothingMore}</p>
      )}
      {view.unended && (
        <p class="faint small" data-testid="unended">
          <SessionLink {...context} session={view.unended.session} /> {texts.wasToEnd(time(view.unended.endsAt))}
        </p>
      )}
      {next && (
        <p>
          <span class="badge">{texts.next}</span>{' '}
          <span class="tabular">{next.due ? texts.about(time(next.startsAt)) : time(next.startsAt)}</span>{' '}
          <SessionLink {...context} session={next.session} />{' '}
          {next.delayed && <span class="badge badge--warn">{texts.delayed}</span>}
        </p>
      )}
    </article>
  );
}

function SessionLink({ session, conference }: LiveContext & { readonly session: SessionDocument }) {
  return (
    <a
      href={pathTo(conference, 's', session.id)}
      dir="auto"
      lang={session.language ?? undefined}
      class={session.state === 'cancelled' ? 'struck' : ''}
    >
      {session.title}
    </a>
  );
}

/** Compared with what was kept when this page was last left; the very first look shows nothing as changed. */
function Changed(context: LiveContext) {
  const { conference, sessions, now, texts, rooms, timeZone, language } = context;
  const name = `looked.${conference}`;
  const [looked, setLooked] = useState<Looked | null>(() => parseLooked(load(name)));
  const current = useRef(sessions);
  current.current = sessions;
  useEffect(() => {
    const saveLooked = () => save(name, JSON.stringify(lookedAt(current.current)));
    addEventListener('pagehide', saveLooked);
    return () => removeEventListener('pagehide', saveLooked);
  }, [name]);
  const changed = useMemo(() => (looked ? differences(looked, sessions, now) : []), [looked, sessions, now]);
  if (changed.length === 0) return null;
  const seen = () => {
    const all = lookedAt(current.current);
    save(name, JSON.stringify(all));
    setLooked(all);
  };
  const nameOf = (id: string | null) => rooms.find((room) => room.id === id)?.name ?? id;
  const detail = ({ what, session, from }: Difference) => {
    if (what === 'moved') return `${nameOf(from)} → ${nameOf(session.room)}`;
    const at = what === 'delayed' ? (session.expectedStart ?? session.planned.start) : session.planned.start;
    return when(Date.parse(at), now, timeZone, language);
  };
  return (
    <section aria-labelledby="changed" data-testid="changed">
      <h2 id="changed">{texts.whatChanged}</h2>
      <ul>
        {changed.map((difference) => (
          <li key={difference.session.id}>
            <span class="badge badge--warn">{texts.what[difference.what]}</span>{' '}
            <span class="tabular">{detail(difference)}</span> <SessionLink {...context} session={difference.session} />{' '}
            {difference.what !== 'new' && difference.session.because && (
              <span class="faint" dir="auto">
                {difference.session.because}
              </span>
            )}
          </li>
        ))}
      </ul>
      <button type="button" onClick={seen}>
        {texts.seenIt}
      </button>
    </section>
  );
}

function Programme(context: LiveContext) {
  const { sessions, rooms, texts, language, timeZone } = context;
  const days = useMemo(() => {
    const day = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', timeZone });
    const sorted = [...sessions].sort((a, b) => Date.parse(a.planned.start) - Date.parse(b.planned.start));
    return Map.groupBy(sorted, ({ planned }) => day.format(Date.parse(planned.start)));
  }, [sessions, language, timeZone]);
  return (
    <section aria-labelledby="plan">
      <h2 id="plan">{texts.plan}</h2>
      {[...days].map(([day, plan]) => (
        <details key={day} open={days.size === 1}>
          <summary>{day}</summary>
          <ul class="plan">
            {plan.map((session) => (
              <li key={session.id}>
                <span class="tabular">{clock(Date.parse(session.planned.start), timeZone, language)}</span>{' '}
                <span class="faint" dir="auto">
                  {rooms.find(({ id }) => id === session.room)?.name ?? session.room}
                </span>{' '}
                <SessionLink {...context} session={session} />{' '}
                {session.state === 'cancelled' && <span class="badge badge--warn">{texts.cancelled}</span>}
              </li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  );
}
