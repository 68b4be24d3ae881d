/** Who did what, when, why, and the way back where there is one. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { call } from '../shared/http.js';
import type { Act } from '../shared/notices.js';
import type { OrganizeContext } from './organize-page.js';

interface AuditEntry {
  readonly position: number;
  readonly at: string;
  readonly type: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly subject: string;
  readonly before: readonly object[];
  readonly after: readonly object[];
  readonly trace: string | null;
  /** The command that takes it back. */
  readonly inverse: Act | null;
}

interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Ask for what is before it; null: there is nothing older. */
  readonly before: number | null;
}

export function Audit(context: OrganizeContext) {
  const { conference, identity, texts, acts } = context;
  const [entries, setEntries] = useState<readonly AuditEntry[]>();
  const [before, setBefore] = useState<number | null>(null);
  const route = `/v1/conferences/${encodeURIComponent(conference)}/audit`;
  const load = useCallback(
    async (from: number | null) => {
      try {
        const page = await call<AuditPage>(from === null ? route : `${route}?before=${from}`, {
          token: identity.token,
        });
        setEntries((all) => (from === null ? page.entries : [...(all ?? []), ...page.entries]));
        setBefore(page.before);
      } catch (error) {
        acts.say(texts.failed(error instanceof Error ? error.message : String(error)), true);
      }
    },
    [route, identity, texts, acts.say],
  );
  useEffect(() => void load(null), [load]);
  const takeBack = async (act: Act) => {
    await acts.run(act, { done: texts.undone });
    await load(null);
  };
  return (
    <section aria-labelledby="audit" data-testid="audit">
      <h2 id="audit">{texts.audit}</h2>
      <p class="faint">{texts.auditHint}</p>
      <p class="row">
        {(['csv', 'json'] as const).map((format) => (
          <button type="button" key={format} onClick={() => void download(`${route}.${format}`, context)}>
            {texts.export} {format}
          </button>
        ))}
      </p>
      {!entries && <p role="status">{texts.loading}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by keys */}
      <section class="scroll" aria-label={texts.auditHint} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{texts.when}</th>
              <th>{texts.what}</th>
              <th>{texts.about}</th>
              <th>{texts.who}</th>
              <th>{texts.before}</th>
              <th>{texts.after}</th>
              <th>{texts.trace}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {entries?.map((entry) => (
              <Entry
                key={`${entry.position} ${entry.subject}`}
                entry={entry}
                {...context}
                onTakeBack={(act) => void takeBack(act)}
              />
            ))}
          </tbody>
        </table>
      </section>
      {before !== null && (
        <p>
          <button type="button" onClick={() => void load(before)}>
            {texts.older}
          </button>
        </p>
      )}
    </section>
  );
}

interface EntryProps extends OrganizeContext {
  readonly entry: AuditEntry;
  readonly onTakeBack: (act: Act) => void;
}

function Entry({ entry, texts, language, timeZone, onTakeBack }: EntryProps) {
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium', timeZone });
  const { inverse } = entry;
  return (
    <tr>
      <td class="tabular">{time.format(Date.parse(entry.at))}</td>
      <td>
        {entry.type}
        {entry.reason && (
          <p class="small" dir="auto">
            {entry.reason}
          </p>
        )}
      </td>
      <td>{entry.subject}</td>
      <td>{entry.actor}</td>
      <td>
        <State value={entry.before} />
      </td>
      <td>
        <State value={entry.after} />
      </td>
      <td class="small">{entry.trace}</td>
      <td>
        {inverse && (
          <button type="button" aria-label={`${texts.takeBack}: ${entry.type}`} onClick={() => onTakeBack(inverse)}>
            {texts.takeBack}
          </button>
        )}
      </td>
    </tr>
  );
}

function State({ value }: { readonly value: readonly object[] }) {
  if (value.length === 0) return null;
  return (
    <details>
      <summary class="tabular">{value.length}</summary>
      <pre dir="auto">{JSON.stringify(value, null, 1)}</pre>
    </details>
  );
}

/** With the token in a header, not in an address that ends up in histories and logs. */
async function download(route: string, { identity, acts, texts, conference }: OrganizeContext): Promise<void> {
  const response = await fetch(route, { headers: { authorization: `Bearer ${identity.token}` } });
  if (!response.ok) return acts.say(texts.failed(response.statusText), true);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = `${conference}-${route.slice(route.lastIndexOf('/') + 1)}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
