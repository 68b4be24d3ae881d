import type { RoomDocument } from '../../conference/conferences/documents.js';
import { clock, when } from '../../conference/times.js';
import { type ChangeView, type ComingView, type RoomView, timesOf } from '../../conference/view.js';
import type { Shown } from './screen-page.js';

interface ViewProps extends Shown {
  readonly view: RoomView;
}

export function Now({ view, small, texts, language, timeZone }: ViewProps & { readonly small: boolean }) {
  const { now, unended, next } = view;
  if (!now) {
    return (
      <section data-testid="now">
        <p class="label">{texts.now}</p>
        <p class="now__times">{next.length > 0 ? texts.nothingNow : texts.nothingMore}</p>
        {unended && (
          <p class="now__times" data-testid="unended">
            <bdi>{unended.session.title}</bdi>: {texts.wasToEnd(clock(unended.endsAt, timeZone, language))}
          </p>
        )}
      </section>
    );
  }
  const { session, minutesLeft, minutesOver } = now;
  const { startsAt, endsAt } = timesOf(session);
  const times = `${clock(startsAt, timeZone, language)} – ${clock(endsAt, timeZone, language)}`;
  return (
    <section data-testid="now" class="arrives" key={session.id}>
      <p class="label">{texts.now}</p>
      <h2
        class={small ? 'next__title clamp' : 'now__title clamp'}
        style={{ '--lines': small ? 2 : 4 }}
        dir="auto"
        lang={session.language ?? undefined}
      >
        {session.title}
      </h2>
      <p class="now__speakers clamp" style={{ '--lines': 2 }} dir="auto">
        {session.speakers.join(' · ')}
      </p>
      <p class="now__times">
        {times}{' '}
        {minutesOver === null ? (
          <span class="countdown">{texts.minutesLeft(minutesLeft ?? 0)}</span>
        ) : (
          <span class="badge badge--warn">{texts.overrun(minutesOver)}</span>
        )}
      </p>
    </section>
  );
}

const MAX_NEXT = 4;

export function Next({ view, ...shown }: ViewProps) {
  return (
    <section aria-label={shown.texts.next} data-testid="next">
      <p class="label">{shown.texts.next}</p>
      <ul>
        {view.next.slice(0, MAX_NEXT).map((coming) => (
          <Coming key={coming.session.id} coming={coming} {...shown} />
        ))}
      </ul>
      {view.next.length === 0 && <p class="next">{shown.texts.nothingMore}</p>}
    </section>
  );
}

function Coming({ coming, texts, language, timeZone, now }: Shown & { readonly coming: ComingView }) {
  const { session, startsAt, minutesUntil, delayed, due } = coming;
  const time = when(startsAt, now, timeZone, language);
  return (
    <li class="next">
      <span class="next__time">
        {delayed && <s>{when(Date.parse(session.planned.start), now, timeZone, language)}</s>}{' '}
        {due ? texts.about(time) : time}
      </span>{' '}
      {delayed && <strong>{texts.delayed}</strong>}{' '}
      {!due && minutesUntil <= 60 && <span>({texts.startsIn(minutesUntil)})</span>}
      <span class="clamp" style={{ '--lines': 2 }} dir="auto">
        {session.title}
      </span>
      {delayed && session.because && (
        <span class="clamp" style={{ '--lines': 1 }} dir="auto">
          {session.because}
        </span>
      )}
    </li>
  );
}

export function Changes({ view, rooms, ...shown }: ViewProps & { readonly rooms: readonly RoomDocument[] }) {
  if (view.changes.length === 0) return null;
  return (
    <ul data-testid="changes">
      {view.changes.slice(0, 3).map((change) => (
        <Change key={`${change.session.id} ${change.what}`} change={change} rooms={rooms} {...shown} />
      ))}
    </ul>
  );
}

function Change({
  change,
  rooms,
  texts,
  language,
  timeZone,
  now,
}: Shown & { readonly change: ChangeView; readonly rooms: readonly RoomDocument[] }) {
  const { session, what } = change;
  const room = rooms.find(({ id }) => id === session.room)?.name ?? session.room;
  const time = when(Date.parse(session.planned.start), now, timeZone, language);
  const label = {
    cancelled: texts.cancelled,
    'moved-away': texts.movedTo(room),
    'moved-here': `→ ${room}`,
    'new-time': `${texts.newTime}: ${time}`,
  }[what];
  return (
    <li class="next">
      <strong class="badge badge--warn">{label}</strong>
      <span class={`clamp ${what === 'cancelled' ? 'struck' : ''}`} style={{ '--lines': 2 }} dir="auto">
        {session.title}
      </span>
      {what === 'cancelled' && session.because && <span dir="auto">{session.because}</span>}
    </li>
  );
}
