/**
 * An order that does not move under the pointer. While `frozen`, what is there keeps its place, what is new comes to the end, and what
 * is gone leaves its place empty; otherwise it is simply the current order.
 */
export interface Placed {
  readonly id: string;
  /** Its place is kept, but it is not here any more. */
  readonly gone: boolean;
}

export function stableOrder(before: readonly Placed[], current: readonly string[], frozen: boolean): readonly Placed[] {
  if (!frozen) return current.map((id) => ({ id, gone: false }));
  const here = new Set(current);
  const known = new Set(before.map(({ id }) => id));
  return [
    ...before.map(({ id }) => ({ id, gone: !here.has(id) })),
    ...current.filter((id) => !known.has(id)).map((id) => ({ id, gone: false })),
  ];
}
