import type {
  Beacon,
  CommandAck,
  CommandMessage,
  Cursor,
  Drain,
  Frame,
  Handshake,
  Mismatch,
  RefusalBody,
  Shown,
  SubscribeAck,
} from '#libs/protocol';

/** What a connection tells its owner. */
export interface TransportEvents {
  connected(): void;
  disconnected(): void;
  refused(refusal: RefusalBody): void;
  frame(frame: Frame): void;
  beacon(beacon: Beacon): void;
  drain(drain: Drain): void;
  ticket(ticket: string): void;
  /** The answer to the handshake's channels. */
  subscribed(answer: SubscribeAck | { refusal: RefusalBody }): void;
}

export interface Connection {
  subscribe(
    channels: Readonly<Record<string, Cursor | null>>,
    answered: (ack: SubscribeAck | { refusal: RefusalBody }) => void,
  ): void;
  unsubscribe(channels: readonly string[]): void;
  /** Rejects when no answer came within `timeoutMs`. */
  command(message: CommandMessage, timeoutMs: number): Promise<CommandAck>;
  shown(sample: Shown): void;
  mismatch(report: Mismatch): void;
  close(): void;
}

export interface Transport {
  /** @param ticket the last one that came */
  connect(handshake: Handshake, events: TransportEvents, ticket?: string): Connection;
}
