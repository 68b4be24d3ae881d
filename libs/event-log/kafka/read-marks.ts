/**
 * How far was read, for Kafka's own lag tools: committed by every reader under one group's name, which nobody joins. The checkpoint
 * decides, never this.
 */
import type { Logger } from '#libs/postgres';
import type { Topic } from './topic.js';

const COMMIT_EVERY_MS = 1_000;

export class ReadMarks {
  readonly #marks = new Map<number, bigint>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly topic: Pick<Topic, 'commit'>,
    private readonly group: string,
    private readonly logger: Logger,
  ) {}

  note(partition: number, next: bigint): void {
    this.#marks.set(partition, next);
    if (!this.#timer) this.#timer = setTimeout(() => this.#commit(), COMMIT_EVERY_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #commit(): void {
    this.#timer = undefined;
    const marks = new Map(this.#marks);
    this.#marks.clear();
    this.topic
      .commit(this.group, marks)
      .catch((err: unknown) => this.logger.debug({ err }, 'the advisory offsets were not committed'));
  }
}
