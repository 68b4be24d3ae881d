/**
 * Proof of content: one number for all living documents of a channel, kept up to date with each change on both sides. It is the sum of a
 * hash of (key, version, mark) of each: in any order the same, and added to or taken from in constant time. Not cryptographic: it finds
 * accidents. It works wherever pages run, also where there is no `crypto.subtle`.
 */

const HIGH = 2 ** 32;
const HIGH_BITS = 0x1f_ffff;

export class ContentSum {
  // 53 bits, which JSON carries as a number: two parts that wrap by themselves.
  #high = 0;
  #low = 0;

  get value(): number {
    return this.#high * HIGH + this.#low;
  }

  /** @param mark of its last event, as the frame has it; "" where there is none */
  add(key: string, version: number, mark: string): void {
    const [high, low] = hashOf(`${key} ${version} ${mark}`);
    this.#high = (this.#high + high) & HIGH_BITS;
    this.#low = (this.#low + low) >>> 0;
  }

  remove(key: string, version: number, mark: string): void {
    const [high, low] = hashOf(`${key} ${version} ${mark}`);
    this.#high = (this.#high - high) & HIGH_BITS;
    this.#low = (this.#low - low) >>> 0;
  }
}

/** cyrb53 with seed 0, over UTF-16 units, in its two halves. */
function hashOf(text: string): readonly [high: number, low: number] {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 2_654_435_761);
    high = Math.imul(high ^ unit, 1_597_334_677);
  }
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  return [high >>> 0, low >>> 0];
}
