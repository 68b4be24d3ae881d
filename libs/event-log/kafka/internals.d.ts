/** Parts of exactly kafkajs 2.2.4 that it does not declare, and libraries without types. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  interface RequestQueue {
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    readonly throttledUntil: number;
    readonly pending: readonly unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
  const RequestQueue: { readonly prototype: RequestQueue };
  export default RequestQueue;
}

declare module 'kafkajs/src/broker/index.js' {
  const Broker: {
    readonly prototype: {
      heartbeat(request: object): Promise<unknown>;
      joinGroup(request: object): Promise<unknown>;
    };
  };
  export default Broker;
}

declare module 'kafkajs/src/protocol/error.js' {
  const protocol: { createErrorFromCode(code: number): Error };
  export default protocol;
}

declare module 'kafkajs/src/consumer/batch.js' {
  import type { Batch } from 'kafkajs';

  const FetchedBatch: new (
    topic: string,
    fetchedOffset: string,
    partitionData: object,
  ) => Batch & { readonly rawMessages: readonly unknown[] };
  export default FetchedBatch;
}

declare module 'kafkajs/src/protocol/decoder.js' {
  class Decoder {
    constructor(buffer: Buffer);
    readonly buffer: Buffer;
    readonly offset: number;
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string;
    readBytes(length: number): Buffer;
    canReadBytes(length: number): boolean;
    readArray<T>(read: (decoder: Decoder) => T): T[];
    readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
  }
  export default Decoder;
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type { KafkaMessage } from 'kafkajs';
  import type Decoder from 'kafkajs/src/protocol/decoder.js';

  const RecordBatchDecoder: (decoder: Decoder) => Promise<{ readonly records: readonly KafkaMessage[] }>;
  export default RecordBatchDecoder;
}

declare module 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js' {
  import type { KafkaMessage } from 'kafkajs';
  import type Decoder from 'kafkajs/src/protocol/decoder.js';

  const decodeMessages: (decoder: Decoder) => Promise<readonly KafkaMessage[]>;
  export default decodeMessages;
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/response.js' {
  import type { KafkaMessage } from 'kafkajs';

  export interface FetchedPartition {
    readonly partition: number;
    readonly errorCode: number;
    readonly highWatermark: string;
    readonly lastStableOffset: string;
    readonly lastStartOffset: string;
    readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
    readonly preferredReadReplica: number;
    readonly messages: readonly KafkaMessage[];
  }
  export interface FetchedTopic {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }
  export interface FetchResponse {
    readonly throttleTime: number;
    readonly clientSideThrottleTime: number;
    readonly errorCode: number;
    readonly sessionId: number;
    readonly responses: readonly FetchedTopic[];
  }
  const response: { decode: (raw: Buffer) => Promise<FetchResponse> };
  export default response;
}

declare module 'lz4js' {
  const lz4: {
    compress(source: Uint8Array): Uint8Array;
    decompressBound(source: Uint8Array): number;
    decompress(source: Uint8Array, maxSize: number): Uint8Array;
  };
  export default lz4;
}

declare module 'snappyjs' {
  const snappy: {
    compress(source: Buffer): Buffer;
    uncompress(source: Buffer, maxLength: number): Buffer;
  };
  export default snappy;
}
