/** What became of one's acts, said once, in a live region; with a way back where there is one. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { FeedClient } from '#libs/feed-client';
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
    setNotices((all) => [...all, notice].slice(-SHOWN));
    if (!bad) setTimeout(() => setNotices((all) => all.filter(({ id }) => id !== notice.id)), GOOD_MS);
    if (undo) setDone((all) => [...all, notice].slice(-REMEMBERED));
  }, []);

  const run = useCallback(
    async (act: Act, said: { readonly done?: string; readonly undo?: Act } = {}) => {
      const name = JSON.stringify(act);
      setPending((all) => new Set(all).add(name));
      const ack = await client.command(act.type, act.data, { withinMs: 15_000 });
      setPending((all) => new Set([...all].filter((other) => other !== name)));
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
