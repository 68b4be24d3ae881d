/** Answers that were rendered and not yet read, in bytes. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpLimits } from './limits.js';

/** One answer under way. */
export interface Answer {
  readonly socket: Socket;
  readonly response: ServerResponse;
  /** The end of its token; null: none. */
  readonly person: string | null;
  unread: number;
  /** Bytes that the kernel had taken when its time began, and when that was (monotonic). */
  taken: number;
  since: number;
}

/**
 * Bytes that the kernel has taken for the client so far. `writableLength` counts a large write until all of it is taken; how much of it
 * is, libuv knows, and Node reads it there for its own timeouts.
 */
export function bytesTaken(socket: Socket): number {
  const { _bytesDispatched: dispatched, _handle: handle } = socket as {
    readonly _bytesDispatched?: unknown;
    readonly _handle?: { readonly writeQueueSize?: unknown } | null;
  };
  if (typeof dispatched === 'number' && typeof handle?.writeQueueSize === 'number')
    return dispatched - handle.writeQueueSize;
  return socket.bytesWritten - socket.writableLength;
}

export class UnreadAnswers {
  private readonly answers = new Set<Answer>();
  private readonly persons = new Map<string, number>();
  private total = 0;

  constructor(
    private readonly limits: HttpLimits,
    /** An answer was cut off. */
    private readonly onCut: (why: 'slow' | 'unread') => void,
  ) {}

  get bytes(): number {
    return this.total;
  }

  get size(): number {
    return this.answers.size;
  }

  of(person: string): number {
    return this.persons.get(person) ?? 0;
  }

  add(answer: Answer): void {
    this.answers.add(answer);
  }

  remove(answer: Answer): void {
    if (this.answers.delete(answer)) this.change(answer, 0);
  }

  /** Counts what waits now; cuts off what is most, if it is too much. */
  measure(answer: Answer): void {
    if (!this.answers.has(answer)) return;
    this.change(answer, answer.socket.writableLength);
    const { person } = answer;
    if (person !== null && this.of(person) > this.limits.unreadBytesPerPerson)
      this.relieve(this.limits.unreadBytesPerPerson, () => this.of(person), person);
    this.relieve(this.limits.unreadBytes, () => this.total);
  }

  /** @param now monotonic milliseconds */
  sweep(now: number): void {
    for (const answer of [...this.answers]) {
      this.change(answer, answer.socket.writableLength);
      if (answer.unread === 0) {
        answer.taken = bytesTaken(answer.socket);
        answer.since = now;
      } else if (now - answer.since >= this.limits.slowMs) {
        const taken = bytesTaken(answer.socket);
        if (taken - answer.taken < this.limits.slowBytes) this.cut(answer, 'slow');
        answer.taken = taken;
        answer.since = now;
      }
    }
    this.relieve(this.limits.unreadBytes, () => this.total);
  }

  /** Cuts off the largest until it is little enough. An answer on its way out of an empty account is never too much. */
  private relieve(limit: number, bytes: () => number, person?: string): void {
    if (bytes() <= limit) return;
    const largest = [...this.answers]
      .filter((answer) => answer.unread > 0 && (person === undefined || answer.person === person))
      .sort((a, b) => b.unread - a.unread);
    for (const answer of largest.slice(0, -1)) {
      if (bytes() <= limit) return;
      this.cut(answer, 'unread');
    }
  }

  private cut(answer: Answer, why: 'slow' | 'unread'): void {
    this.remove(answer);
    this.onCut(why);
    answer.socket.destroy();
  }

  private change(answer: Answer, unread: number): void {
    const more = unread - answer.unread;
    if (more === 0) return;
    answer.unread = unread;
    this.total += more;
    if (answer.person === null) return;
    const all = this.of(answer.person) + more;
    if (all > 0) this.persons.set(answer.person, all);
    else this.persons.delete(answer.person);
  }
}
