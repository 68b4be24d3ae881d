/** Posting updates and taking them back. An emergency is asked for twice. */
import { useRef, useState } from 'preact/hooks';
import type { Audience, Severity, UpdateDocument } from '../../conference/updates/documents.js';
import type { Acts } from './notices.js';
import { useDraft } from './outbox/drafts.js';
import type { Texts } from './texts.js';
import type { UpdateTexts } from './update-texts.js';
import { UpdateItem } from './updates.js';

export interface PostUpdateProps {
  readonly acts: Acts;
  readonly texts: Texts & UpdateTexts;
  readonly language: string;
  readonly timeZone: string;
  /** Server time, milliseconds since 1970. */
  readonly now: number;
  /** What holds here now. */
  readonly updates: readonly UpdateDocument[];
  readonly audiences: readonly { readonly label: string; readonly audience: Audience }[];
  readonly severities: readonly Severity[];
  /** A text is asked for in each; an emergency needs them all. */
  readonly languages: readonly string[];
  /** Of what is kept in this browser until it is posted. */
  readonly draftName: string;
}

const EXPIRIES = [15, 30, 60, 240, 0] as const;
const MAX_CHARACTERS = 500;

export function PostUpdate(props: PostUpdateProps) {
  const { acts, texts, updates } = props;
  return (
    <section aria-labelledby="post-update" data-testid="post-update">
      <h2 id="post-update">{texts.postUpdate}</h2>
      <Form {...props} />
      {updates.length > 0 && <h3>{texts.current}</h3>}
      <ul>
        {updates.map((update) => (
          <UpdateItem key={update.id} {...props} update={update}>
            <button
              type="button"
              onClick={() =>
                void acts.run({ type: 'retract-update', data: { update: update.id } }, { done: texts.retracted })
              }
            >
              {texts.retract}
            </button>
          </UpdateItem>
        ))}
      </ul>
    </section>
  );
}

interface Draft {
  readonly severity: Severity;
  /** Index in `audiences`. */
  readonly audience: number;
  /** 0: until it is taken back. */
  readonly minutes: number;
  readonly drill: boolean;
}

/** By language; anything else in the draft is nothing. */
function textsIn(draft: string): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(draft || '{}');
    return Object.fromEntries(
      Object.entries(value ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return {};
  }
}

function Form(props: PostUpdateProps) {
  const { acts, texts, audiences, languages } = props;
  const sure = useRef<HTMLDialogElement>(null);
  const written = useDraft(`${props.draftName}.post-update`);
  const said = textsIn(written.text);
  const [draft, setDraft] = useState<Draft>({ severity: 'info', audience: 0, minutes: 60, drill: false });
  const { severity, audience, minutes, drill } = draft;
  const emergency = severity === 'emergency';
  const post = async (confirmed: boolean) => {
    sure.current?.close();
    const filled = Object.entries(said).filter(([, text]) => text.trim() !== '');
    const ok = await acts.run(
      {
        type: 'post-update',
        data: {
          texts: Object.fromEntries(filled),
          severity,
          audience: emergency ? { to: 'all' } : audiences[audience]?.audience,
          expiresAt: emergency || minutes === 0 ? null : new Date(props.now + minutes * 60_000).toISOString(),
          ...(emergency ? { confirmed, drill } : {}),
        },
      },
      { done: texts.posted },
    );
    if (ok) written.discard();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (emergency) sure.current?.showModal();
    else void post(false);
  };
  return (
    <form onSubmit={submit}>
      {languages.map((language) => (
        <label key={language}>
          {languages.length > 1 ? texts.inLanguage(language) : texts.updateText}
          <textarea
            rows={2}
            required={emergency || languages.length === 1}
            maxLength={MAX_CHARACTERS}
            lang={language}
            dir="auto"
            value={said[language] ?? ''}
            onInput={(event) => written.set(JSON.stringify({ ...said, [language]: event.currentTarget.value }))}
          />
        </label>
      ))}
      <Choices {...props} draft={draft} onChange={setDraft} />
      <p class="row">
        <button type="submit" class="main">
          {texts.post}
        </button>
      </p>
      <dialog ref={sure} aria-label={texts.sure}>
        <p>{texts.sure}</p>
        <p class="row">
          <button type="button" class="main" onClick={() => void post(true)}>
            {texts.yesEmergency}
          </button>
          <button type="button" onClick={() => sure.current?.close()}>
            {texts.cancel}
          </button>
        </p>
      </dialog>
    </form>
  );
}

interface ChoicesProps extends PostUpdateProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

function Choices({ texts, audiences, severities, draft, onChange }: ChoicesProps) {
  const { severity, audience, minutes, drill } = draft;
  const emergency = severity === 'emergency';
  return (
    <div class="columns">
      <label>
        {texts.severity}
        <select
          value={severity}
          onChange={(event) => onChange({ ...draft, severity: event.currentTarget.value as Severity })}
        >
          {severities.map((one) => (
            <option key={one} value={one}>
              {texts.severities[one]}
            </option>
          ))}
        </select>
      </label>
      {!emergency && (
        <label>
          {texts.expires}
          <select
            value={minutes}
            onChange={(event) => onChange({ ...draft, minutes: Number(event.currentTarget.value) })}
          >
            {EXPIRIES.map((one) => (
              <option key={one} value={one}>
                {texts.minutes(one)}
              </option>
            ))}
          </select>
        </label>
      )}
      {!emergency && audiences.length > 1 && (
        <label>
          {texts.forWhom}
          <select
            value={audience}
            onChange={(event) => onChange({ ...draft, audience: Number(event.currentTarget.value) })}
          >
            {audiences.map(({ label }, index) => (
              <option key={label} value={index}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      {emergency && (
        <label>
          <input
            type="checkbox"
            checked={drill}
            onChange={(event) => onChange({ ...draft, drill: event.currentTarget.checked })}
          />{' '}
          {texts.drillBox}
        </label>
      )}
    </div>
  );
}
