/**
 * The fast path: one websocket frame, built once and written as it is to each socket of a tick, past the per-socket work of
 * socket.io, engine.io and ws. Measured in bench/fan-out.mjs beside the stock path and the bare `socket.write`; it looks into three
 * libraries, so it checks itself on the first socket and stays away for good if they are not as expected.
 */
import { defineLimit } from '#libs/limits';
import { LARGE_PACKET_BYTES, type Unread } from './unread.js';

/** One message as a websocket frame of a server: text, unmasked, final. */
export class Packet {
  constructor(readonly bytes: Buffer) {}

  /** As engine.io takes it, made when it is needed: nearly all packets leave as bytes. */
  get text(): string {
    const { bytes } = this;
    const length = (bytes[1] as number) & 0x7f;
    // After the head comes engine.io's prefix.
    return bytes.toString('utf8', (length === 127 ? 10 : length === 126 ? 4 : 2) + 1);
  }
}

interface Wire {
  readonly readyState: number;
  /** Without any, nothing waits inside ws: its sender queues only while it compresses. */
  readonly extensions: string;
  readonly _sender: { readonly constructor: { frame?(data: Buffer, options: object): readonly Buffer[] } };
  readonly _socket: {
    readonly writable: boolean;
    readonly writableLength: number;
    write(bytes: Buffer, written?: () => void): boolean;
    cork(): void;
    uncork(): void;
  } | null;
}

/** Of engine.io. */
export interface Conn {
  readonly readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly socket?: Wire };
  write(text: string, options?: object, written?: () => void): unknown;
  on(event: 'packetCreate' | 'drain' | 'close', listener: () => void): this;
}

/** engine.io's prefix of a message. */
const MESSAGE = '4';

export function packetOf(event: string, json: string): Packet {
  return new Packet(frameOf(Buffer.from(`${MESSAGE}2["${event}",${json}]`, 'utf8')));
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

/** null: not verified yet. */
let usable: string | boolean | null = null;

/** What is wrong with the fast path in this process; null: nothing, or no socket has come yet. */
export const fastPathProblem = (): string | null => (typeof usable === 'string' ? usable : null);

/** Compares with what ws itself would send. @returns why not, or true */
export function verifyWsInternals(found: unknown): string | true {
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

/** More than this waiting in our memory for one socket, and nothing more is written to it until it reads (I9). */
export const MAX_PACKETS_PER_SOCKET = defineLimit({
  name: 'sockets.unread.packets',
  value: 16,
  unit: 'items',
  beyond: 'nothing is written to the socket until it reads',
});
export const MAX_UNREAD_BYTES_PER_SOCKET = defineLimit({
  name: 'sockets.unread.socket',
  value: 64 * 1024,
  unit: 'bytes',
  beyond: 'nothing is written to the socket until it reads',
});

/**
 * The one way to write to a socket: frames, snapshots, resumes, beacons and goodbyes. Nothing is written to a socket that does not
 * read. Whether the fast way is idle is told by engine.io's events, once, instead of being read from four objects at each write: over
 * thousands of sockets none of them is in the processor's cache, and reading cost as much as all else of a broadcast. There is one
 * transport, so none is ever changed for another.
 */
export class SocketWriter {
  private readonly net: Wire['_socket'];
  private readonly fast: boolean;
  /** Nothing is under way on the stock path, which goes first. */
  private isIdle = false;
  private ended = false;
  /** Large packets on their way. */
  private large: Packet[] | undefined;

  /** @param person whose share of unread bytes this socket uses */
  constructor(
    private readonly conn: Conn,
    private readonly unread: Unread,
    private readonly person: string,
  ) {
    const wire = conn.transport.socket;
    this.net = wire?._socket ?? null;
    usable ??= verifyWsInternals(wire);
    // A websocket that compresses has a queue of its own.
    this.fast = usable === true && wire?.extensions === '';
    const look = () => {
      this.isIdle = this.fast && conn.readyState === 'open' && conn.writeBuffer.length === 0;
    };
    const taken = () => {
      this.isIdle = false;
    };
    const closed = () => {
      this.isIdle = false;
      this.ended = true;
      for (const packet of this.large ?? []) this.unread.remove(packet, this.person);
      this.large = undefined;
    };
    conn.on('packetCreate', taken).on('drain', look).on('close', closed);
    look();
  }

  get isWritable(): boolean {
    return (
      !this.ended &&
      (this.net?.writableLength ?? 0) < MAX_UNREAD_BYTES_PER_SOCKET &&
      (this.isIdle || this.conn.writeBuffer.length < MAX_PACKETS_PER_SOCKET)
    );
  }

  /** What is written in this turn of the loop leaves with one call of the kernel: the packets of a join are four. */
  cork(): void {
    if (this.fast) corkForATurn(this.net);
  }

  /** Also a large packet, if nothing waits before it. @returns false: nothing was written */
  write(packet: Packet): boolean {
    if (!this.isWritable) return false;
    if (packet.bytes.length >= LARGE_PACKET_BYTES) return this.writeLarge(packet);
    if (this.isIdle && this.net?.writable) this.net.write(packet.bytes);
    else this.conn.write(packet.text);
    return true;
  }

  /** The last packet, if it can still be written. */
  end(packet: Packet): void {
    this.write(packet);
    this.ended = true;
  }

  private writeLarge(packet: Packet): boolean {
    if (!this.unread.add(packet, this.person)) return false;
    this.large ??= [];
    const { large } = this;
    large.push(packet);
    const written = () => {
      const index = large.indexOf(packet);
      // Closed meanwhile: it has been taken from the count.
      if (index < 0 || this.large !== large) return;
      large.splice(index, 1);
      this.unread.remove(packet, this.person);
    };
    if (this.isIdle && this.net?.writable) this.net.write(packet.bytes, written);
    else this.conn.write(packet.text, {}, written);
    return true;
  }
}
