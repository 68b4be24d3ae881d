/**
 * Proof of history: a number per conference that depends on every event folded so far, its place and its order, and not on how the log was
 * cut into batches. Two histories that part have different proofs from there on, so a cursor tells which one it was counted in.
 *
 * `proof' = proof × FACTOR + value(event)` modulo 2^64. That is linear: the events of a batch are one factor and one addend, which the
 * database applies to the proof it has, and nobody need read it first.
 */
import { createHash } from 'node:crypto';

/** What a batch does to the proof of one conference. */
export interface ChainStep {
  readonly factor: bigint;
  readonly addend: bigint;
}

/** Odd, with well mixed bits (Knuth's MMIX): no event loses its influence, however many follow. */
const FACTOR = 6_364_136_223_846_793_005n;
const OFFSET_FACTOR = 0x9e37_79b9_7f4a_7c15n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ids of events are hashes (UUIDv5) already: their first bits need no further hashing. */
const hexOf = (eventId: string): string =>
  UUID.test(eventId)
    ? eventId.slice(0, 8) + eventId.slice(9, 13) + eventId.slice(14, 18)
    : createHash('sha256').update(eventId).digest('hex').slice(0, 16);

export function extended(step: ChainStep | undefined, offset: number, eventId: string): ChainStep {
  const value = BigInt(`0x${hexOf(eventId)}`) + BigInt(offset) * OFFSET_FACTOR;
  return {
    factor: BigInt.asUintN(64, (step?.factor ?? 1n) * FACTOR),
    addend: BigInt.asUintN(64, (step?.addend ?? 0n) * FACTOR + value),
  };
}

/** As the database keeps it: a signed 64-bit number. */
export const proofAfter = (proof: bigint, { factor, addend }: ChainStep): bigint =>
  BigInt.asIntN(64, proof * factor + addend);

/** `proofAfter` as SQL: a bigint overflows, so it is computed as numeric and wrapped. */
export const proofAfterSql = (proof: string, factor: string, addend: string): string =>
  `(((${proof}::numeric * ${factor} + ${addend}) % 18446744073709551616 + 27670116110564327424) % 18446744073709551616 - 9223372036854775808)::bigint`;

/**
 * 48 bits of the event that changed a document last, as 8 characters: with the version it tells two histories apart, in which the same
 * version of the same document came from different events.
 */
export const markOf = (eventId: string): string =>
  Buffer.from(hexOf(eventId).slice(0, 12), 'hex').toString('base64url');
