/**
 * The fast path: one websocket frame, built once and written as it is to each socket of a tick, past the per-socket work of
 * socket.io, engine.io and ws. Measured in bench/fan-out.mjs beside the stock path and the bare `socket.write`; it looks into three
 * libraries, so it checks itself on the first socket and stays away for good if they are not as expected.
 */

export interface Packet {
  /** As engine.io takes it. */
  readonly text: string;
  /** The same as a websocket frame of a server: one text message, unmasked, final. */
  readonly bytes: Buffer;
}

interface Wire {
  readonly readyState: number;
  /** Without any, nothing waits inside ws: its sender queues only while it compresses. */
  readonly extensions: string;
  readonly _sender: { readonly constructor: { frame?(data: Buffer, options: object): readonly Buffer[] } };
  readonly _socket: {
    readonly writable: boolean;
    readonly writableLength: number;
    write(bytes: Buffer): boolean;
    cork(): void;
    uncork(): void;
  } | null;
}

/** Of engine.io. */
export interface Conn {
  readonly readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly socket?: Wire };
  write(text: string): unknown;
  on(event: 'packetCreate' | 'drain' | 'close', listener: () => void): this;
}

/** engine.io's prefix of a message. */
const MESSAGE = '4';

export function packetOf(event: string, json: string): Packet {
  const text = `2["${event}",${json}]`;
  return { text, bytes: frameOf(Buffer.from(MESSAGE + text, 'utf8')) };
}

/** RFC 6455 §5.2: FIN, opcode 1, no mask. */
function frameOf(payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Everything written to it until the loop's next turn leaves at once. */
export function corkForATurn(socket: { cork(): void; uncork(): void } | null): void {
  socket?.cork();
  setImmediate(() => socket?.uncork());
}

/** null: not judged yet. */
let trusted: string | boolean | null = null;

/** What is wrong with the fast path in this process; null: nothing, or nobody has come yet. */
export const fastPathProblem = (): string | null => (typeof trusted === 'string' ? trusted : null);

/** Compares with what ws itself would send. @returns why not, or true */
export function judge(found: unknown): string | true {
  const wire = found as Partial<Wire> | undefined;
  if (typeof wire?.readyState !== 'number') return 'the transport has no websocket where it had one';
  const { _sender: sender, _socket: socket } = wire;
  if (typeof socket?.write !== 'function' || typeof socket.writable !== 'boolean')
    return 'there is no socket to write to';
  if (typeof socket.writableLength !== 'number') return 'the socket does not say what waits in it';
  if (typeof wire.extensions !== 'string') return 'the websocket does not say what it compresses';
  const maker = sender?.constructor;
  if (!maker?.frame) return 'the websocket builds frames elsewhere';
  for (const size of [1, 200, 70_000]) {
    const { text, bytes } = packetOf('x', `"${'é'.repeat(size)}"`);
    const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
    if (!Buffer.concat(maker.frame(Buffer.from(MESSAGE + text), options)).equals(bytes))
      return 'the websocket builds other frames';
  }
  return true;
}

/** More than this waiting in our memory for one reader: it is skipped, and later resumed by version (I9). */
const MAX_PACKETS = 16;
const MAX_BYTES = 64 * 1024;

/**
 * Where one socket's packets leave. Whether its fast way is free is told by engine.io's events, once, instead of being read from four
 * objects at each write: over thousands of sockets none of them is in the processor's cache, and reading cost as much as all else the
 * hall does. There is one transport, so none is ever changed for another.
 */
export class Outlet {
  private readonly net: Wire['_socket'];
  private readonly fast: boolean;
  /** Nothing is under way on the stock path, which goes first. */
  private free = false;

  constructor(private readonly conn: Conn) {
    const wire = conn.transport.socket;
    this.net = wire?._socket ?? null;
    trusted ??= judge(wire);
    // A websocket that compresses has a queue of its own.
    this.fast = trusted === true && wire?.extensions === '';
    if (!this.fast) return;
    const look = () => {
      this.free = conn.readyState === 'open' && conn.writeBuffer.length === 0;
    };
    const taken = () => {
      this.free = false;
    };
    conn.on('packetCreate', taken).on('drain', look).on('close', taken);
    look();
  }

  get drains(): boolean {
    return (this.net?.writableLength ?? 0) < MAX_BYTES && (this.free || this.conn.writeBuffer.length < MAX_PACKETS);
  }

  /** What is written in this turn of the loop leaves with one call of the kernel: the packets of a join are four. */
  cork(): void {
    if (this.fast) corkForATurn(this.net);
  }

  write({ text, bytes }: Packet): void {
    if (this.free && this.net?.writable) this.net.write(bytes);
    else this.conn.write(text);
  }
}
