/** Importing a schedule, with progress and a report. */
import { useState } from 'preact/hooks';
import type { ImportDocument } from '../../conference/sessions/documents.js';
import { bodyOf } from '../shared/use-feed.js';
import type { OrganizeContext } from './organize-page.js';

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly odd: readonly { readonly at: string; readonly what: string }[];
}

interface Line {
  readonly done?: number;
  readonly total?: number;
  readonly report?: Report;
  readonly refusal?: { readonly code: number; readonly message: string };
}

export function Import(context: OrganizeContext) {
  const { client, conference, identity, texts, acts, language, timeZone } = context;
  const [progress, setProgress] = useState<{ readonly done: number; readonly total: number }>();
  const [report, setReport] = useState<Report>();
  const last = bodyOf<ImportDocument>(client, 'schedule', 'import/last');
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone });
  const upload = async (file: File) => {
    setReport(undefined);
    setProgress({ done: 0, total: 1 });
    try {
      await send(file, { conference, token: identity.token }, (line) => {
        if (line.total !== undefined) setProgress({ done: line.done ?? 0, total: line.total });
        if (line.report) setReport(line.report);
        if (line.refusal) acts.say(texts.refusedBecause(line.refusal.message, line.refusal.code), true);
      });
    } catch (error) {
      acts.say(texts.failed(error instanceof Error ? error.message : String(error)), true);
    }
    setProgress(undefined);
  };
  return (
    <section aria-labelledby="import" data-testid="import">
      <h2 id="import">{texts.import}</h2>
      <p class="faint">{texts.importHint}</p>
      {last && <p>{texts.lastImport(when.format(Date.parse(last.at)))}</p>}
      <label>
        {texts.file}
        <input
          type="file"
          accept=".xml,.json,application/xml,application/json"
          disabled={progress !== undefined}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = '';
            if (file) void upload(file);
          }}
        />
      </label>
      {progress && (
        <p role="status">
          <progress value={progress.done} max={progress.total} aria-label={texts.import} />{' '}
          {texts.importing(progress.done, progress.total)}
        </p>
      )}
      {report && (
        <div class="card" role="status">
          <h3>{texts.report}</h3>
          <dl>
            {Object.entries(report.counts).map(([name, count]) => (
              <div key={name} class="row">
                <dt>{name}</dt>
                <dd class="tabular">{count}</dd>
              </div>
            ))}
          </dl>
          <p>{report.odd.length === 0 ? texts.nothingOdd : texts.odd(report.odd.length)}</p>
          <ul>
            {report.odd.map(({ at, what }) => (
              <li key={`${at} ${what}`} dir="auto">
                {at}: {what}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

/** The answer is a stream of JSON lines. @throws Error with the refusal's sentence */
async function send(
  file: File,
  { conference, token }: { readonly conference: string; readonly token: string },
  onLine: (line: Line) => void,
): Promise<void> {
  const json = file.name.endsWith('.json') || file.type === 'application/json';
  const response = await fetch(`/v1/conferences/${encodeURIComponent(conference)}/imports`, {
    method: 'POST',
    headers: { 'content-type': json ? 'application/json' : 'application/xml', authorization: `Bearer ${token}` },
    body: file,
  });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => ({}))) as { readonly code?: number; readonly detail?: string };
    throw new Error(`${problem.detail ?? response.statusText} (${problem.code ?? response.status})`);
  }
  let rest = '';
  for await (const chunk of readable(response.body.pipeThrough(new TextDecoderStream()))) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line) as Line);
  }
}

/** Not every browser can iterate a stream. */
async function* readable(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}
