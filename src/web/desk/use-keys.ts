/**
 * Keys of the desk. They act on the question that has the focus; never while somebody types or a dialog is open. They can be turned off:
 * people who speak to their computer would press them without knowing (WCAG 2.1.4).
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { load, remove, save } from '../shared/browser/local-store.js';

export interface Keys {
  /** A key other than those below, for the question with the focus. */
  readonly onQuestion: (key: string, question: string) => void;
  readonly onUndo: () => void;
  readonly onHelp: () => void;
}

export interface Shortcuts {
  readonly on: boolean;
  /** Kept in this browser. */
  turn(on: boolean): void;
}

const STORED = 'shortcuts';

export function useShortcuts(): Shortcuts {
  const [on, setOn] = useState(load(STORED) !== 'off');
  return {
    on,
    turn(wanted) {
      if (wanted) remove(STORED);
      else save(STORED, 'off');
      setOn(wanted);
    },
  };
}

export function useKeys(keys: Keys, { on }: Shortcuts): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    if (!on) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
      const { onQuestion, onUndo, onHelp } = current.current;
      const question = cardOf(document.activeElement)?.dataset.question;
      if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
      else if (event.key === 'u') onUndo();
      else if (event.key === '?') onHelp();
      else if (question && event.key.length === 1 && event.key !== ' ') onQuestion(event.key, question);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [on]);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('input, textarea, select, dialog') !== null;

const cardOf = (element: Element | null): HTMLElement | null =>
  element?.closest<HTMLElement>('[data-question]') ?? null;

function step(by: 1 | -1): void {
  const cards = [...document.querySelectorAll<HTMLElement>('[data-question]')];
  const now = cardOf(document.activeElement);
  const index = now ? cards.indexOf(now) + by : 0;
  const next = cards[Math.max(0, Math.min(cards.length - 1, index))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
