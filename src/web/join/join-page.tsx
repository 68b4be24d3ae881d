/**
 * `/c/:conf/join#code=CODE`: one response with everything inside, because a hall scans one code at once. It shows what is on over HTTP
 * and goes on to the live page when that can be loaded.
 */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RoomDocument } from '../../conference/conferences/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { when } from '../../conference/times.js';
import { viewRoom } from '../../conference/view.js';
import { isForgetful, withVisit } from '../shared/browser/local-store.js';
import { call, Refused, serverNow } from '../shared/http.js';
import { identityFor, inFragment, join, takeFromFragment } from '../shared/identity.js';
import { pageWithin, pathTo, readPath } from '../shared/path.js';
import { type JoinTexts, joinTexts } from './texts.js';

/** Like `textsFor`, without the texts of the other pages: this page is to stay small. */
function own(languages: readonly string[]): { readonly language: string; readonly texts: JoinTexts } {
  const german = languages.map((one) => one.slice(0, 2)).find((one) => one === 'de' || one === 'en') === 'de';
  return german ? { language: 'de', texts: joinTexts.de } : { language: 'en', texts: joinTexts.en };
}

const RETRY_MS = 2_000;
const JITTER_MS = 3_000;

export function JoinPage() {
  const { conference } = useMemo(() => readPath(location.pathname), []);
  const { language, texts } = useMemo(() => own(navigator.languages), []);
  const given = useMemo(() => takeFromFragment('code'), []);
  const [code, setCode] = useState(given ?? '');
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [token, setToken] = useState(given ? undefined : identityFor(conference, ['attendee'])?.token);

  const enter = async (wanted: string) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      setToken((await join(conference, wanted.trim())).token);
    } catch (error) {
      setTrouble(sayWhy(error, texts));
    }
    setBusy(false);
  };
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = texts.title;
    if (given) void enter(given);
  }, []);

  if (token) return <Inside conference={conference} token={token} language={language} texts={texts} />;
  const submit = (event: Event) => {
    event.preventDefault();
    void enter(code);
  };
  return (
    <main>
      <h1>{texts.title}</h1>
      <form onSubmit={submit}>
        <label>
          {texts.code}
          <input
            required
            value={code}
            maxLength={40}
            autocapitalize="characters"
            autocomplete="off"
            spellcheck={false}
            aria-describedby="hint"
            onInput={(event) => setCode(event.currentTarget.value)}
          />
        </label>
        <p id="hint">{texts.hint}</p>
        <button type="submit" disabled={busy}>
          {busy ? texts.joining : texts.join}
        </button>
      </form>
      {trouble && (
        <p class="bad" role="alert">
          {trouble}
        </p>
      )}
    </main>
  );
}

/** Numbers of the protocol (SPEC.md, refusals). */
const WRONG_CODE = 210;
const RATE_LIMITED = 106;

function sayWhy(error: unknown, texts: JoinTexts): string {
  if (!(error instanceof Refused)) return texts.offline;
  if (error.code === WRONG_CODE) return texts.wrongCode;
  return error.code === RATE_LIMITED ? texts.crowd : `${error.message} (${error.code})`;
}

/** The page that led here, or the room whose screen showed the code. */
function wantedPage(conference: string): string | undefined {
  const room = inFragment('room');
  return room ? `${pathTo(conference)}#${new URLSearchParams({ room })}` : inFragment('to');
}

interface InsideProps {
  readonly conference: string;
  readonly token: string;
  readonly language: string;
  readonly texts: JoinTexts;
}

interface Snapshot {
  readonly entries: readonly (readonly [key: string, version: number, body: object | null])[];
}

function Inside({ conference, token, language, texts }: InsideProps) {
  const [snapshot, setSnapshot] = useState<Snapshot>();
  const live = useMemo(() => pageWithin(conference, wantedPage(conference), location.origin), [conference]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const go = async () => {
      try {
        const page = await fetch(live);
        if (page.ok) return location.replace(withVisit(live));
      } catch {
        // The house network is full: what is on was shown, and the way is tried again.
      }
      timer = setTimeout(() => void go(), RETRY_MS + Math.random() * JITTER_MS);
      return undefined;
    };
    call<Snapshot>(`/v1/conferences/${encodeURIComponent(conference)}/channels/schedule`, { token })
      .then(setSnapshot)
      .catch(() => undefined)
      .finally(() => void go());
    return () => clearTimeout(timer);
  }, [conference, live, token]);
  return (
    <main>
      <h1>{texts.inside}</h1>
      <p role="status">{texts.liveSoon}</p>
      {isForgetful() && <p class="bad">{texts.forgetful}</p>}
      {snapshot && <Rooms snapshot={snapshot} language={language} texts={texts} />}
      <p>
        <a href={live}>{texts.goLive}</a>
      </p>
    </main>
  );
}

function Rooms({
  snapshot,
  language,
  texts,
}: Pick<InsideProps, 'language' | 'texts'> & { readonly snapshot: Snapshot }) {
  const bodies = <T,>(kind: string): T[] =>
    snapshot.entries.flatMap(([key, , body]) => (body && key.startsWith(`${kind}/`) ? [body as T] : []));
  const [about] = bodies<{ timeZone: string }>('conference');
  const sessions = bodies<SessionDocument>('session');
  const now = serverNow();
  if (!about) return null;
  return (
    <ul>
      {bodies<RoomDocument>('room')
        .sort((a, b) => a.order - b.order)
        .map((room) => {
          const view = viewRoom(room, sessions, now);
          const next = view.next[0];
          return (
            <li key={room.id}>
              <strong dir="auto">{room.name}</strong>
              {view.now && (
                <p dir="auto">
                  {texts.now}: {view.now.session.title}
                </p>
              )}
              {next && (
                <p dir="auto">
                  {when(next.startsAt, now, about.timeZone, language)} {next.session.title}
                </p>
              )}
            </li>
          );
        })}
    </ul>
  );
}
