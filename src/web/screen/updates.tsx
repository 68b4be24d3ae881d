/** What a wall says besides its room: updates, an emergency over everything, and how to take part. */
import type { FeedClient } from '#libs/feed-client';
import type { JoinCodeDocument } from '../../conference/conferences/documents.js';
import type { UpdateDocument } from '../../conference/updates/documents.js';
import { textOf } from '../../conference/view-updates.js';
import { pathTo } from '../shared/path.js';
import { Qr } from '../shared/qr.js';
import type { Texts } from '../shared/texts.js';
import type { updatesHere } from '../shared/updates.js';
import { bodyOf } from '../shared/use-feed.js';
import type { Shown } from './screen-page.js';

/** Each language of the conference gets so long; a wall has no reader of its own. */
const LANGUAGE_MS = 8_000;
const PAGE_MS = 8_000;

interface TakeoverProps extends Shown {
  readonly view: ReturnType<typeof updatesHere>;
  readonly languages: readonly string[];
  readonly now: number;
}

export function Takeover({ view, languages, texts }: TakeoverProps) {
  const { emergency, unconfirmed, allClear } = view;
  const update = emergency ?? unconfirmed;
  if (!update)
    return (
      <section class="takeover takeover--clear" role="status" data-testid="all-clear">
        <h2>{texts.allClear}</h2>
        {allClear?.drill && <p>{texts.drill}</p>}
      </section>
    );
  const title = update.drill ? texts.drill : texts.emergency;
  // In every language at once: nobody may have to wait for their own.
  const said = languages.filter((language) => update.texts[language] !== undefined);
  return (
    <section
      class={`takeover ${update.drill ? 'takeover--drill' : ''}`}
      role="alert"
      data-testid={emergency ? 'emergency' : 'unconfirmed'}
    >
      <h2>{emergency ? title : texts.unconfirmed}</h2>
      {(said.length > 0 ? said : Object.keys(update.texts)).map((language) => (
        <p key={language} lang={language} dir="auto" class="clamp" style={{ '--lines': 4 }}>
          {update.texts[language]}
        </p>
      ))}
    </section>
  );
}

interface TickerProps extends Shown {
  readonly updates: readonly UpdateDocument[];
  readonly languages: readonly string[];
  readonly now: number;
}

/** One at a time, by the server's clock: walls beside each other show the same. */
export function Ticker({ updates, languages, now, texts, language }: TickerProps) {
  const update = updates[Math.floor(now / PAGE_MS) % Math.max(1, updates.length)];
  if (!update) return null;
  const known = languages.filter((one) => update.texts[one] !== undefined);
  const turn = known[Math.floor(now / (LANGUAGE_MS * Math.max(1, updates.length))) % Math.max(1, known.length)];
  const said = textOf(update, turn ? [turn] : [language]);
  return (
    <p class={`ticker ticker--${update.severity}`} data-testid="ticker" dir="auto" lang={said?.language}>
      <strong>{update.severity === 'info' ? '' : '▲ '}</strong>
      <span class="clamp" style={{ '--lines': 2 }}>
        {said?.text}
        {update.sponsor && ` (${texts.sponsored(update.sponsor.name)})`}
      </span>
    </p>
  );
}

interface JoinProps {
  readonly client: FeedClient;
  readonly conference: string;
  /** Its id: the code leads there. */
  readonly room: string;
  readonly texts: Texts;
}

export function Join({ client, conference, room, texts }: JoinProps) {
  const code = bodyOf<JoinCodeDocument>(client, 'join', 'join/code')?.code;
  if (!code) return null;
  const page = `${location.origin}${pathTo(conference, 'join')}`;
  return (
    <section class="join" aria-label={texts.joinAt} data-testid="join">
      <Qr text={`${page}#${new URLSearchParams({ code, room })}`} label={texts.joinAt} />
      <p>
        <span class="label">{texts.joinAt}</span>
        <br />
        <span class="join__address">{page.replace(/^https?:\/\//, '')}</span>
        <br />
        {texts.code}: <strong class="join__code">{code}</strong>
      </p>
    </section>
  );
}
