import pg from 'pg';

/** `name` as a quoted SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `text` as a quoted SQL literal. */
export const quoteLiteral = (text: string): string => pg.escapeLiteral(text);
