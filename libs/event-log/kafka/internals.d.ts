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

declare module 'kafkajs/src/consumer/batch.js' {
  import type { Batch } from 'kafkajs';

  const FetchedBatch: new (
    topic: string,
    fetchedOffset: string,
    partitionData: object,
  ) => Batch & { readonly rawMessages: readonly unknown[] };
  export default FetchedBatch;
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
