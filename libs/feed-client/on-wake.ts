/** When a page may have been asleep: shown again, back from the cache of pages, thawed, or online again. Node has no such events. */

interface Target {
  addEventListener?(event: string, listener: () => void): void;
  removeEventListener?(event: string, listener: () => void): void;
}

const browser = globalThis as Target & { readonly document?: Target & { readonly visibilityState?: string } };

/** @returns how to stop listening */
export function onWake(listener: () => void): () => void {
  const { document } = browser;
  const shown = () => document?.visibilityState !== 'hidden' && listener();
  const events: readonly (readonly [Target | undefined, string])[] = [
    [document, 'visibilitychange'],
    [document, 'resume'],
    [browser, 'pageshow'],
    [browser, 'online'],
  ];
  for (const [target, event] of events) target?.addEventListener?.(event, shown);
  return () => {
    for (const [target, event] of events) target?.removeEventListener?.(event, shown);
  };
}
