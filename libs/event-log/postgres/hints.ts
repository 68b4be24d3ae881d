/** What NOTIFY says of appends: who appended, and to which partitions. A hint that cannot be read means "anything". */
import { randomUUID } from 'node:crypto';

export interface LogHints {
  payload(partition: number): string;
  /** Two payloads of this process as one. */
  join(waiting: string, payload: string): string;
  /** Wakes for what others have appended; what this process appended it knows already. */
  read(payload: string, wake: (partition?: number) => void): void;
}

export function logHints(sender: string = randomUUID()): LogHints {
  return {
    payload: (partition) => `${sender} ${partition}`,
    join(waiting, payload) {
      const known = waiting.split(' ');
      const more = payload.split(' ').slice(1);
      return [...known, ...more.filter((partition) => !known.includes(partition, 1))].join(' ');
    },
    read(payload, wake) {
      const [from, ...partitions] = payload.split(' ');
      if (from === sender) return;
      if (partitions.length === 0 || !partitions.every((partition) => /^\d{1,5}$/.test(partition))) wake();
      else for (const partition of partitions) wake(Number(partition));
    },
  };
}
