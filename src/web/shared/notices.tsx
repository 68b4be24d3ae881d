/** What became of one's acts, said once, in a live region; with a way back where there is one. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { type FeedClient, newCommandId } from '#libs/feed-client';
import type { CommandAck } from '#libs/protocol';
import type { Texts } from './texts.js';

export interface Act {
  readonly type: string;
  readonly data: object;
}

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  readonly undo: Act | undefined;
}

export interface Acts {
  readonly notices: readonly Notice[];
  /** Types of acts that wait for their outcome, with what they are about. */
  isPending(act: Act): boolean;
  /** Some act on this question waits. */
  isPendingFor(question: string): boolean;
  /** @returns whether it had an effect; what went wrong is said. `done` is said when it went well, `undo` offered with it. */
  run(act: Act, said?: { readonly done?: string; readonly undo?: Act }): Promise<boolean>;
  say(text: string, bad?: boolean, undo?: Act): void;
  dismiss(id: number): void;
  /** The last act that can be taken back. */
  readonly last: Notice | undefined;
  undo(notice: Notice): Promise<void>;
}

/** An act without an answer by then is said to have none. */
const ANSWER_WITHIN_MS = 15_000;
/** A rate limit that ends sooner is waited for. */
const PATIENCE_MS = 15_000;
/** A copy that has not reached the answer's position by then is believed as it is. */
const SHOWN_WITHIN_MS = 5_000;
/** Of one act that comes too fast. */
const MAX_TRIES = 4;
const RATE_LIMITED = 106;
const SHOWN = 4;
const REMEMBERED = 20;
/** What went well need not be clicked away; what went wrong stays until it is. */
const GOOD_MS = 10_000;

export function useActs(client: FeedClient, texts: Texts): Acts {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const [done, setDone] = useState<readonly Notice[]>([]);
  const [pending, setPending] = useState<ReadonlySet<string>>(new Set());
  const counter = useRef(0);

  const say = useCallback((text: string, bad = false, undo?: Act) => {
    counter.current += 1;
    const notice = { id: counter.current, text, bad, undo };
    // The same again need not be read twice.
    setNotices((all) => [...all.filter((other) => other.bad || other.text !== text), notice].slice(-SHOWN));
    if (!bad) setTimeout(() => setNotices((all) => all.filter(({ id }) => id !== notice.id)), GOOD_MS);
    if (undo) setDone((all) => [...all, notice].slice(-REMEMBERED));
  }, []);

  const run = useCallback(
    async (act: Act, said: { readonly done?: string; readonly undo?: Act } = {}) => {
      const name = JSON.stringify(act);
      setPending((all) => new Set(all).add(name));
      const id = newCommandId();
      let ack = await client.command(act.type, act.data, { id, withinMs: ANSWER_WITHIN_MS });
      for (let wait = patience(ack), tries = 1; wait !== null && tries < MAX_TRIES; wait = patience(ack), tries++) {
        say(texts.goesIn(Math.ceil(wait / 1_000)));
        await new Promise((resolve) => setTimeout(resolve, wait));
        ack = await client.command(act.type, act.data, { id, withinMs: ANSWER_WITHIN_MS });
      }
      // Shown as done until the copy shows it: a button that comes back for a moment would be pressed again.
      void untilShown(client, ack).then(() => setPending((all) => new Set([...all].filter((other) => other !== name))));
      const trouble = troubleOf(ack, texts);
      if (trouble) say(trouble, true);
      else if (said.done) say(said.done, false, said.undo);
      return trouble === null;
    },
    [client, texts, say],
  );

  return useMemo(
    () => ({
      notices,
      isPending: (act: Act) => pending.has(JSON.stringify(act)),
      isPendingFor: (question: string) => [...pending].some((name) => name.includes(`"question":"${question}"`)),
      run,
      say,
      dismiss: (id: number) => setNotices((all) => all.filter((notice) => notice.id !== id)),
      last: done.at(-1),
      undo: async (notice: Notice) => {
        setDone((all) => all.filter(({ id }) => id !== notice.id));
        setNotices((all) => all.filter(({ id }) => id !== notice.id));
        if (notice.undo) await run(notice.undo, { done: texts.undone });
      },
    }),
    [notices, done, pending, run, say, texts],
  );
}

/** Milliseconds that the service asks to wait, where somebody can be asked to wait that long; null: there is another answer. */
const patience = (ack: CommandAck): number | null =>
  'refusal' in ack && ack.refusal.code === RATE_LIMITED && (ack.refusal.retryAfter ?? Infinity) <= PATIENCE_MS
    ? (ack.refusal.retryAfter ?? null)
    : null;

function untilShown(client: FeedClient, ack: CommandAck): Promise<void> {
  const position = 'refusal' in ack || ack.outcome === 'no-effect' ? null : ack.position;
  if (position === null) return Promise.resolve();
  const epoch = 'epoch' in ack ? ack.epoch : undefined;
  const isShown = () => client.shows(position, epoch);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      forget();
      resolve();
    };
    const timer = setTimeout(end, SHOWN_WITHIN_MS);
    const forget = client.onChange(() => isShown() && end());
    if (isShown()) end();
  });
}

/** null: it was applied (or will be). */
export function troubleOf(ack: CommandAck, texts: Texts): string | null {
  if ('refusal' in ack) return texts.refusedBecause(ack.refusal.message, ack.refusal.code);
  if (ack.outcome === 'no-effect') return texts.noEffect(ack.because ?? '');
  return ack.outcome === 'held' ? texts.heldAct : null;
}

export function Notices({ acts, texts }: { readonly acts: Acts; readonly texts: Texts }) {
  return (
    <div class="notices" role="status" aria-label={texts.notices} data-testid="notices">
      {acts.notices.map((notice) => (
        <p key={notice.id} class={`notice ${notice.bad ? 'notice--bad' : ''}`}>
          <span>{notice.text}</span>
          {notice.undo && acts.last?.id === notice.id && (
            <button type="button" onClick={() => void acts.undo(notice)}>
              {texts.undo}
            </button>
          )}
          <button type="button" class="quiet" aria-label={texts.dismiss} onClick={() => acts.dismiss(notice.id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
