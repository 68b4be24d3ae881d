/** `/`: conferences and, for a signed-in organizer, the screens of their rooms. `/#link=CODE` redeems a one-time link. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isForgetful, withVisit } from '../shared/browser/local-store.js';
import { call, Refused } from '../shared/http.js';
import { forgetIdentity, identityFor, inFragment, redeemLink } from '../shared/identity.js';
import { type Texts as CommonTexts, textsFor } from '../shared/texts.js';
import { homeTexts } from './texts.js';

type Texts = CommonTexts & typeof homeTexts.en;

interface ConferenceLine {
  readonly id: string;
  readonly title: string;
}

interface Snapshot {
  readonly entries: readonly (readonly [
    key: string,
    version: number,
    body: { readonly name?: string; readonly order?: number } | null,
  ])[];
}

export function Home() {
  const { language, texts } = useMemo(() => textsFor(navigator.languages, homeTexts), []);
  const [token, setToken] = useState(identityFor('*', ['organizer'])?.token);
  const [conferences, setConferences] = useState<readonly ConferenceLine[]>();
  const [trouble, setTrouble] = useState<string>();

  // The link works once: where the browser would forget what it gives, the person decides before it is spent.
  const [asksFirst, setAsksFirst] = useState(() => isForgetful() && inFragment('link') !== undefined);
  const redeem = () => {
    setAsksFirst(false);
    redeemLink()
      .then((redeemed) => {
        if (redeemed?.conference === '*') setToken(redeemed.token);
        else if (redeemed) location.replace(withVisit(placeOf(redeemed)));
      })
      .catch((error: Error) => {
        const spent = error instanceof Refused && error.code >= 200;
        setTrouble(spent ? texts.linkUsed : texts.linkLater(error.message));
      });
  };
  useEffect(() => {
    document.documentElement.lang = language;
    if (!asksFirst) redeem();
    call<{ conferences: readonly ConferenceLine[] }>('/v1/conferences')
      .then((answer) => setConferences(answer.conferences))
      .catch((error: Error) => setTrouble(texts.failed(error.message)));
  }, [language, texts]);

  return (
    <main>
      <h1>Hallway</h1>
      <p class="note" role="status">
        {token ? texts.signedIn : texts.signInHint}
      </p>
      {isForgetful() && !asksFirst && <p class="note">{texts.forgetful}</p>}
      {asksFirst && (
        <div class="note note--bad" role="alert">
          <p>{texts.linkForVisit}</p>
          <button type="button" onClick={redeem}>
            {texts.useForVisit}
          </button>
        </div>
      )}
      {trouble && (
        <p class="note note--bad" role="alert">
          {trouble}
        </p>
      )}
      <h2>{texts.conferences}</h2>
      {!conferences && !trouble && <p class="faint">{texts.loading}</p>}
      {conferences?.length === 0 && (
        <p>
          {texts.noConferences} <code>{texts.importHint}</code>
        </p>
      )}
      {conferences?.map((conference) => (
        <Conference key={conference.id} conference={conference} token={token} texts={texts} onTrouble={setTrouble} />
      ))}
      <p class="faint" style={{ marginTop: '3rem' }}>
        <a href="/docs">{texts.apiDocs}</a>
      </p>
    </main>
  );
}

/** Where somebody who came by a link has work to do. */
function placeOf({ role, conference }: { readonly role: string; readonly conference: string }): string {
  const base = `/c/${encodeURIComponent(conference)}`;
  const places: Readonly<Record<string, string>> = {
    moderator: `${base}/desk`,
    organizer: `${base}/organize`,
    screen: `/screen?c=${encodeURIComponent(conference)}`,
  };
  return places[role] ?? base;
}

interface ConferenceProps {
  readonly conference: ConferenceLine;
  readonly token: string | undefined;
  readonly texts: Texts;
  readonly onTrouble: (text: string) => void;
}

function Conference({ conference, token, texts, onTrouble }: ConferenceProps) {
  const [rooms, setRooms] = useState<readonly { readonly id: string; readonly name: string }[]>([]);
  const page = `/c/${encodeURIComponent(conference.id)}`;
  const base = `/v1/conferences/${encodeURIComponent(conference.id)}`;

  useEffect(() => {
    if (!token) return;
    call<Snapshot>(`${base}/channels/schedule`, { token })
      .then(({ entries }) => setRooms(roomsOf(entries)))
      .catch((error: Error) => {
        if (error instanceof Refused && error.code >= 300) forgetIdentity('organizer', '*');
        onTrouble(texts.failed(error.message));
      });
  }, [base, token, texts, onTrouble]);

  const openScreen = async (room: string) => {
    const { token: screenToken } = await call<{ token: string }>(`${base}/tokens`, { token, body: { role: 'screen' } });
    location.assign(withVisit(`/screen?${new URLSearchParams({ c: conference.id, room })}#token=${screenToken}`));
  };

  return (
    <section aria-labelledby={`c-${conference.id}`}>
      <h2 id={`c-${conference.id}`} dir="auto">
        {conference.title} <span class="faint">{conference.id}</span>
      </h2>
      <p class="links">
        <a href={`${page}/join`}>{texts.takePart}</a>
        {token && <a href={`${page}/desk`}>{texts.desk}</a>}
        {token && <a href={`${page}/organize`}>{texts.organize}</a>}
      </p>
      {rooms.length > 0 && <h3 class="faint">{texts.rooms}</h3>}
      <ul class="rooms">
        {rooms.map((room) => (
          <li key={room.id}>
            <button
              type="button"
              onClick={() => {
                openScreen(room.id).catch((error: Error) => onTrouble(texts.failed(error.message)));
              }}
            >
              <bdi>{room.name}</bdi>
              <br />
              <small class="faint">{texts.openScreen}</small>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function roomsOf(entries: Snapshot['entries']) {
  return entries
    .filter(([key, , body]) => key.startsWith('room/') && body !== null)
    .map(([key, , body]) => ({ id: key.slice('room/'.length), name: body?.name ?? key, order: body?.order ?? 0 }))
    .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name));
}
