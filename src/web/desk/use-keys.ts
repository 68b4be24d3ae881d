/** Keys of the desk. They act on the question that has the focus; never while somebody types or a dialog is open. */
import { useEffect, useRef } from 'preact/hooks';

export interface Keys {
  /** A key other than those below, for the question with the focus. */
  readonly onQuestion: (key: string, question: string) => void;
  readonly onUndo: () => void;
  readonly onHelp: () => void;
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
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
  }, []);
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
