/** One session: what it is and when, the question on stage, asking and voting, the discussion. */
import type { QaDocument, QuestionDocument } from '../../conference/questions/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { clock } from '../../conference/times.js';
import { timesOf, viewRunning } from '../../conference/view.js';
import { pathTo } from '../shared/path.js';
import { UpdateItem } from '../shared/updates.js';
import { bodiesOf, bodyOf, useChannel } from '../shared/use-feed.js';
import type { ActingContext } from './acting.js';
import { Ask } from './ask.js';
import { Discussion } from './discussion.js';
import { MyQuestions, Questions, shownText } from './questions.js';
import { Unsent } from './unsent.js';

export interface SessionContext extends ActingContext {
  readonly session: SessionDocument;
}

export function SessionPage(props: SessionContext) {
  const { client, conference, texts, session, updates, language, timeZone } = props;
  const channel = `session/${session.id}/questions`;
  useChannel(client, channel);
  const qa = bodyOf<QaDocument>(client, channel, 'qa/state');
  const questions = bodiesOf<QuestionDocument>(client, channel, 'question');
  const taken = questions.find(({ id, state }) => state === 'taken' && id === qa?.taken);
  return (
    <>
      <nav>
        <a href={pathTo(conference)}>← {texts.back}</a>
      </nav>
      <About {...props} />
      <ul>
        {updates.news.slice(0, 3).map((update) => (
          <UpdateItem key={update.id} {...{ update, texts, language, timeZone, now: props.now }} />
        ))}
      </ul>
      {taken && (
        <section class="card taken arrives" aria-label={texts.questionNow} data-testid="taken" key={taken.id}>
          <p class="small faint">{texts.questionNow}</p>
          <p dir="auto">{shownText(taken, texts)}</p>
        </section>
      )}
      <Unsent {...props} />
      <div class="columns">
        <div>
          <Ask {...props} qa={qa} known={client.completeTo(channel) !== null} />
          <MyQuestions {...props} />
          <Questions {...props} qa={qa} questions={questions} />
        </div>
        <Discussion {...props} />
      </div>
    </>
  );
}

function About({ session, sessions, rooms, now, texts, language, timeZone, client }: SessionContext) {
  const room = rooms.find(({ id }) => id === session.room);
  const time = (instant: number) => clock(instant, timeZone, language);
  const { now: on, unended } = viewRunning(session, sessions, now);
  const { startsAt, endsAt, shifted } = timesOf(session);
  const planned = `${time(Date.parse(session.planned.start))} – ${time(Date.parse(session.planned.end))}`;
  const day = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', timeZone });
  return (
    <section aria-labelledby="title">
      <h1 id="title" dir="auto" lang={session.language ?? undefined}>
        {session.title}
      </h1>
      {session.subtitle && <p dir="auto">{session.subtitle}</p>}
      <p class="tabular" data-testid="times">
        {day.format(startsAt)}, {time(startsAt)} – {time(endsAt)}{' '}
        {shifted && (
          <span class="faint small">
            ({texts.planned} {planned})
          </span>
        )}{' '}
        · <span dir="auto">{room?.name ?? session.room}</span>{' '}
        {on && <span class="badge badge--accent">{texts.running}</span>}{' '}
        {on && (on.minutesOver === null ? texts.minutesLeft(on.minutesLeft ?? 0) : texts.overrun(on.minutesOver))}
        {unended && <span class="badge badge--warn">{texts.wasToEnd(time(unended.endsAt))}</span>}
        {session.state === 'ended' && <span class="badge">{texts.ended}</span>}
        {session.state === 'cancelled' && <span class="badge badge--warn">{texts.cancelled}</span>}
        {session.state === 'scheduled' && session.expectedStart && (
          <span class="badge badge--warn">
            {texts.delayed}: {texts.about(time(startsAt))}
          </span>
        )}
      </p>
      {session.because && session.state !== 'ended' && <p dir="auto">{session.because}</p>}
      {session.speakers.length > 0 && (
        <p class="faint" dir="auto">
          <span class="visually-hidden">{texts.speakers}: </span>
          {session.speakers.join(' · ')}
        </p>
      )}
      {session.abstract && (
        <p class="pre" dir="auto">
          {session.abstract}
        </p>
      )}
      <p class="row">
        {session.url && (
          <a href={session.url} rel="noreferrer noopener" target="_blank">
            {texts.more}
          </a>
        )}
        {session.recording && (
          <a href={session.recording} rel="noreferrer noopener" target="_blank">
            {texts.recording}
          </a>
        )}
      </p>
      {client.documents('schedule').has(`held/session/${session.id}`) && <p class="badge badge--warn">{texts.held}</p>}
    </section>
  );
}
