/** What waits in our memory because clients do not read: large packets, counted once however many sockets they wait for. */
import { defineLimit } from '#libs/limits';
import type { Packet } from './fan-out.js';

/** Packets from this size on are counted, bytes; smaller ones are bounded per socket. */
export const LARGE_PACKET_BYTES = 16 * 1024;
export const MAX_UNREAD_BYTES = defineLimit({
  name: 'sockets.unread',
  value: 128 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'no large packet is written until clients read; they ask again',
});
export const MAX_UNREAD_BYTES_PER_PERSON = defineLimit({
  name: 'sockets.unread.person',
  value: 32 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'no large packet is written to this person until they read',
});

export interface UnreadLimits {
  readonly bytes: number;
  /** Each socket's copy counts here. */
  readonly bytesPerPerson: number;
}

export class Unread {
  private readonly waiting = new Map<Packet, number>();
  private readonly perPerson = new Map<string, number>();
  private total = 0;

  constructor(
    private readonly limits: UnreadLimits = {
      bytes: MAX_UNREAD_BYTES,
      bytesPerPerson: MAX_UNREAD_BYTES_PER_PERSON,
    },
  ) {}

  /** Bytes, each packet once. */
  get bytes(): number {
    return this.total;
  }

  /** @returns false: it must not be written now */
  add(packet: Packet, person: string): boolean {
    const size = packet.bytes.length;
    const sockets = this.waiting.get(packet) ?? 0;
    const persons = this.perPerson.get(person) ?? 0;
    if (sockets === 0 && this.total > 0 && this.total + size > this.limits.bytes) return false;
    if (persons > 0 && persons + size > this.limits.bytesPerPerson) return false;
    if (sockets === 0) this.total += size;
    this.waiting.set(packet, sockets + 1);
    this.perPerson.set(person, persons + size);
    return true;
  }

  remove(packet: Packet, person: string): void {
    const size = packet.bytes.length;
    const sockets = (this.waiting.get(packet) ?? 1) - 1;
    if (sockets > 0) this.waiting.set(packet, sockets);
    else if (this.waiting.delete(packet)) this.total -= size;
    const persons = (this.perPerson.get(person) ?? size) - size;
    if (persons > 0) this.perPerson.set(person, persons);
    else this.perPerson.delete(person);
  }
}
