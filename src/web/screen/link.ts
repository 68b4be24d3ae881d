import { load, save } from '../shared/browser/local-store.js';

export interface ScreenLink {
  readonly conference: string;
  /** undefined: it is still to be chosen. */
  readonly room: string | undefined;
  readonly token: string | undefined;
}

/** `/screen?c=CONFERENCE&room=ROOM#token=…`: the token leaves the address bar and stays in this browser, so that a reload works. */
export function readLink(): ScreenLink | null {
  const query = new URLSearchParams(location.search);
  const [conference, room] = [query.get('c'), query.get('room')];
  if (!conference) return null;
  const name = `screen.${conference}`;
  const fresh = new URLSearchParams(location.hash.slice(1)).get('token');
  // Where the browser keeps nothing, the address keeps the token: a wall that is switched on again opens the same address.
  if (fresh && save(name, fresh)) history.replaceState(null, '', location.pathname + location.search);
  return { conference, room: room ?? undefined, token: fresh ?? load(name) };
}
