/** What the path says: `/c/:conference/s/:session`, `/c/:conference/desk/:session`, … */
export interface PagePath {
  readonly conference: string;
  readonly page: string;
  readonly session: string | undefined;
}

export function readPath(pathname: string): PagePath {
  const [, , conference = '', page = '', session] = pathname.split('/').map((part) => decode(part));
  return { conference, page, session: session || undefined };
}

export const pathTo = (conference: string, ...parts: readonly string[]): string =>
  `/c/${[conference, ...parts].map(encodeURIComponent).join('/')}`;

/** Where a link led before joining. @param wanted anything else than a page of this conference is not followed */
export function pageWithin(conference: string, wanted: string | undefined, origin: string): string {
  const home = pathTo(conference);
  if (!wanted) return home;
  try {
    const { origin: other, pathname, search, hash } = new URL(wanted, origin);
    if (other !== origin || !(pathname === home || pathname.startsWith(`${home}/`))) return home;
    return pathname === `${home}/join` ? home : pathname + search + hash;
  } catch {
    return home;
  }
}

/** A path that somebody typed may be badly encoded: it is then just an unknown name. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
