/** The effect half: one connection at a time, driven by the state machine. Browser and Node. */
import {
  type ClientClass,
  type CommandAck,
  type CommandMessage,
  PROTOCOL_VERSION,
  type RefusalBody,
} from '#libs/protocol';
import type { ClientDocument } from './channel-copy.js';
import { newCommandId } from './command-id.js';
import { type Effect, FeedState, type Status } from './feed-state.js';
import { onWake } from './on-wake.js';
import { ShownSample } from './shown-sample.js';
import { socketTransport } from './socket-transport.js';
import type { Connection, Transport } from './transport.js';

/** One place: the last ticket that came. */
export interface TicketStore {
  load(): string | undefined;
  save(ticket: string): void;
}

export interface FeedClientOptions {
  readonly url: string;
  readonly conference: string;
  readonly class: ClientClass;
  /** Called before each connection; `renew`: the last one has expired. */
  readonly getToken: (renew: boolean) => string | Promise<string>;
  readonly channels?: readonly string[];
  /** Where tickets are kept; default: as long as the client lives. */
  readonly tickets?: TicketStore;
  readonly transport?: Transport;
  readonly random?: () => number;
}

export interface FeedClient {
  subscribe(channel: string): void;
  unsubscribe(channel: string): void;
  /** Living documents of a followed channel, by key. A new map whenever something changed. */
  documents(channel: string): ReadonlyMap<string, ClientDocument>;
  /** How far the copy of a channel is complete; without a name, of the channel that is furthest. null: there is none. */
  completeTo(channel?: string): number | null;
  /**
   * Whether the copy, of one channel or the one that has come furthest, shows what an answer tells of. One of another epoch than the
   * answer's does: its positions are counted anew, and none of them will be the answer's.
   */
  shows(position: number, epoch: string | undefined, channel?: string): boolean;
  status(): Status;
  /** Refusals of single channels. */
  refusals(): ReadonlyMap<string, RefusalBody>;
  onChange(listener: () => void): () => void;
  /**
   * Answers with the outcome or a refusal; sent again under the same id while the connection comes and goes, up to `withinMs`. A refusal
   * that asks to wait longer than that, or "too many requests", is answered at once: the caller can show until when.
   */
  command(
    type: string,
    data: object,
    options?: {
      readonly id?: string;
      readonly reason?: string;
      readonly after?: CommandMessage['after'];
      readonly withinMs?: number;
    },
  ): Promise<CommandAck>;
  /** Whoever draws says so once everything that has changed so far is on the glass: a sample of it is told to the server. */
  painted(): void;
  close(): void;
}

const TICK_MS = 500;
const COMMAND_TIMEOUT_MS = 5_000;
/** Between two attempts, where the service says no time. */
const COMMAND_RETRY_MS = 300;
const COMMAND_WITHIN_MS = 30_000;
const NOTHING: ReadonlyMap<string, ClientDocument> = new Map();

export function createFeedClient(options: FeedClientOptions): FeedClient {
  const client = new Client(options);
  client.begin();
  return client;
}

function ticketInMemory(): TicketStore {
  let ticket: string | undefined;
  return {
    load: () => ticket,
    save(next) {
      ticket = next;
    },
  };
}

class Client implements FeedClient {
  private readonly state: FeedState;
  private readonly listeners = new Set<() => void>();
  private readonly refused = new Map<string, RefusalBody>();
  private readonly transport: Transport;
  private readonly random: () => number;
  private connection: Connection | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly ticker: ReturnType<typeof setInterval>;
  private readonly stopWaking: () => void;
  private generation = 0;
  private readonly sample: ShownSample;
  private readonly tickets: TicketStore;

  constructor(private readonly options: FeedClientOptions) {
    this.state = new FeedState(options.class);
    this.transport = options.transport ?? socketTransport(options.url);
    this.random = options.random ?? Math.random;
    this.tickets = options.tickets ?? ticketInMemory();
    this.sample = new ShownSample(options.class, this.random);
    this.ticker = setInterval(() => this.run(this.state.tick(performance.now(), Date.now())), TICK_MS);
    this.stopWaking = onWake(() => this.run(this.state.wake(performance.now(), Date.now(), this.random())));
  }

  begin(): void {
    for (const channel of this.options.channels ?? []) this.state.follow(channel, performance.now());
    this.run(this.state.start());
  }

  subscribe(channel: string): void {
    this.run(this.state.follow(channel, performance.now()));
  }

  unsubscribe(channel: string): void {
    this.refused.delete(channel);
    this.run(this.state.leave(channel));
  }

  documents(channel: string): ReadonlyMap<string, ClientDocument> {
    return this.state.channels.get(channel)?.documents ?? NOTHING;
  }

  completeTo(channel?: string): number | null {
    if (channel !== undefined) return this.state.channels.get(channel)?.cursor?.[1] ?? null;
    const positions = [...this.state.channels.values()].flatMap(({ cursor }) => (cursor ? [cursor[1]] : []));
    return positions.length > 0 ? Math.max(...positions) : null;
  }

  shows(position: number, epoch: string | undefined, channel?: string): boolean {
    const copies = channel === undefined ? [...this.state.channels.values()] : [this.state.channels.get(channel)];
    return copies.some((copy) => {
      if (!copy?.cursor) return false;
      return (epoch !== undefined && copy.cursor[0] !== epoch) || copy.cursor[1] >= position;
    });
  }

  status(): Status {
    return this.state.status(performance.now());
  }

  refusals(): ReadonlyMap<string, RefusalBody> {
    return this.refused;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async command(
    type: string,
    data: object,
    { id = newCommandId(), reason, after, withinMs = COMMAND_WITHIN_MS }: Parameters<FeedClient['command']>[2] = {},
  ): Promise<CommandAck> {
    const message: CommandMessage = {
      id,
      type,
      data,
      ...(reason ? { reason } : {}),
      ...(after === undefined ? {} : { after }),
    };
    const end = performance.now() + withinMs;
    for (;;) {
      const answer = await this.connection?.command(message, COMMAND_TIMEOUT_MS).catch(() => undefined);
      if (answer && !('refusal' in answer && answer.refusal.code < 200 && answer.refusal.code !== 106)) return answer;
      // Never before the time that was named: everybody would come at once again (S29).
      const wait = (answer && 'refusal' in answer ? answer.refusal.retryAfter : undefined) ?? COMMAND_RETRY_MS;
      if (performance.now() + wait >= end)
        return answer ?? { refusal: { code: 103, message: 'no answer in time; the same id can be sent again' } };
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  painted(): void {
    const shown = this.sample.painted(performance.now());
    if (shown) this.connection?.shown(shown);
  }

  close(): void {
    this.stopWaking();
    clearInterval(this.ticker);
    clearTimeout(this.retry);
    this.run(this.state.stop());
    this.listeners.clear();
  }

  private run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'connect':
          clearTimeout(this.retry);
          this.retry = setTimeout(() => this.connect(effect.renew), effect.inMs);
          break;
        case 'disconnect':
          this.drop();
          if (this.state.phase !== 'idle' && this.state.phase !== 'refused')
            this.run(this.state.disconnected(this.random(), performance.now(), Date.now()));
          break;
        case 'subscribe':
          this.connection?.subscribe(effect.channels, (ack) => this.subscribed(ack));
          break;
        case 'unsubscribe':
          this.connection?.unsubscribe(effect.channels);
          break;
        case 'report':
          this.connection?.mismatch(effect.mismatch);
          break;
        case 'notify':
          for (const listener of [...this.listeners]) listener();
          break;
      }
    }
  }

  private connect(renew: boolean): void {
    this.drop();
    const generation = this.generation;
    this.state.opening(performance.now());
    (async () => this.options.getToken(renew))().then(
      (token) => {
        if (generation === this.generation) this.open(token);
      },
      () => this.run(this.state.disconnected(this.random(), performance.now(), Date.now())),
    );
  }

  private open(token: string): void {
    const { conference } = this.options;
    const generation = this.generation;
    const mine = (act: () => readonly Effect[]) => {
      // What an older connection still says is of no interest.
      if (generation === this.generation) this.run(act());
    };
    const channels = this.state.joining(performance.now());
    this.connection = this.transport.connect(
      { protocol: PROTOCOL_VERSION, conference, class: this.options.class, token, channels },
      {
        connected: () => mine(() => this.state.connected(performance.now(), Date.now())),
        disconnected: () => mine(() => this.state.disconnected(this.random(), performance.now(), Date.now())),
        refused: (refusal) => mine(() => this.state.refused(refusal, this.random())),
        frame: (frame) =>
          mine(() => {
            const now = performance.now();
            const effects = this.state.frame(frame, now);
            if (this.state.channels.get(frame.channel)?.cursor?.[1] === frame.to) this.sample.arrived(frame, now);
            return effects;
          }),
        beacon: (beacon) => mine(() => this.state.beacon(beacon, Date.now(), performance.now(), this.random())),
        subscribed: (answer) => generation === this.generation && this.subscribed(answer),
        drain: ({ within }) => mine(() => this.state.drain(within, this.random())),
        ticket: (ticket) => this.tickets.save(ticket),
      },
      this.tickets.load(),
    );
  }

  private subscribed(ack: Parameters<Parameters<Connection['subscribe']>[1]>[0]): void {
    if (isRefusal(ack)) {
      this.state.subscribeRefused(ack.refusal);
      return;
    }
    for (const [channel, answer] of Object.entries(ack)) {
      this.state.answered(channel, answer === 'ok');
      if (answer === 'ok') this.refused.delete(channel);
      else this.refused.set(channel, answer.refusal);
    }
  }

  private drop(): void {
    this.generation += 1;
    this.connection?.close();
    this.connection = undefined;
  }
}

/** A refusal has a number; an answer per channel could at most have a channel of that name. */
const isRefusal = (ack: object): ack is { readonly refusal: RefusalBody } =>
  'refusal' in ack && typeof (ack.refusal as { code?: unknown }).code === 'number';
