/** Small values kept in this browser. Private windows may refuse storage: then nothing is kept, and nothing breaks. */
export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`hallway.${key}`, value);
  } catch {
    // Storage is full or forbidden: the page works without.
  }
}

export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(`hallway.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(`hallway.${key}`);
  } catch {
    // As above.
  }
}
