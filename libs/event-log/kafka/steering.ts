/** Where kafkajs reads, in one topic. After its end it refuses to be steered; then there is nothing to steer. */

import type { Consumer } from 'kafkajs';
import type { Logger } from '#libs/postgres';
import type { PinnedTopic } from './pinned-topic.js';

export class Steering {
  constructor(
    private readonly consumer: Consumer,
    private readonly topic: PinnedTopic,
    private readonly logger: Logger,
  ) {}

  pause(partitions: readonly number[]): void {
    this.#try(() => this.consumer.pause([{ topic: this.topic.name, partitions: [...partitions] }]));
  }

  /** The next fetch of the partition asks for this offset. */
  seek(partition: number, offset: bigint): void {
    this.#try(() =>
      this.consumer.seek({
        topic: this.topic.name,
        partition,
        offset: this.topic.physical(partition, offset).toString(),
      }),
    );
  }

  resume(partition: number): void {
    this.#try(() => this.consumer.resume([{ topic: this.topic.name, partitions: [partition] }]));
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (err) {
      this.logger.debug({ err }, 'the consumer has ended');
    }
  }
}
