/** Keys of data subjects (I14). Erasing a subject empties its key and keeps the row: what was sealed can never be read again. */
import { randomBytes, randomUUID } from 'node:crypto';

export interface SubjectKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface SubjectKeys {
  /**
   * The key to seal with, made on first need and committed before it is used.
   * @throws SubjectErased
   */
  keyFor(conference: string, subject: string): Promise<SubjectKey>;
  /** Keys by id; null: emptied; absent: there is no such row. */
  find(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer | null>>;
}

export class SubjectErased extends Error {
  override readonly name = 'SubjectErased';
}

export const newKey = (): SubjectKey => ({ id: randomUUID(), key: randomBytes(32) });

export function createMemoryKeys(): SubjectKeys & { erase(conference: string, subject: string): void } {
  const bySubject = new Map<string, { id: string; key: Buffer | null }>();
  const byId = new Map<string, { id: string; key: Buffer | null }>();
  const name = (conference: string, subject: string) => JSON.stringify([conference, subject]);
  const rowOf = (conference: string, subject: string) => {
    const known = bySubject.get(name(conference, subject));
    if (known) return known;
    const row = newKey();
    bySubject.set(name(conference, subject), row);
    byId.set(row.id, row);
    return row;
  };
  return {
    async keyFor(conference, subject) {
      const { id, key } = rowOf(conference, subject);
      if (key === null) throw new SubjectErased('this subject has been erased');
      return { id, key };
    },
    async find(ids) {
      return new Map(
        ids.flatMap((id) => {
          const row = byId.get(id);
          return row ? [[id, row.key] as const] : [];
        }),
      );
    },
    erase(conference, subject) {
      const row = bySubject.get(name(conference, subject)) ?? { id: randomUUID(), key: null };
      row.key = null;
      bySubject.set(name(conference, subject), row);
      byId.set(row.id, row);
    },
  };
}
