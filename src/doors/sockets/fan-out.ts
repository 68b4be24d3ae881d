/**
 * The fast path: one websocket frame, built once and written as it is to each socket of a tick, past the per-socket work of
 * socket.io, engine.io and ws. Measured in bench/fan-out.mjs beside the stock path and the bare `socket.write`; it looks into three
 * libraries, so it checks itself on the first socket and stays away for good if they are not as expected.
 */
import type { Socket } from 'socket.io';

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
  } | null;
}

interface Conn {
  readonly readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly socket?: Wire };
  write(text: string): unknown;
}

const OPEN = 1;
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
 * Where one socket's packets leave. Looking for these objects at each write, through four others, cost as much as everything else the
 * hall does beside the write. They stay the same: there is one transport, so none is ever changed for another.
 */
export class Outlet {
  private readonly conn: Conn;
  private readonly wire: Wire | undefined;
  private readonly net: Wire['_socket'];
  private readonly fast: boolean;

  constructor({ conn }: Socket) {
    this.conn = conn as unknown as Conn;
    this.wire = this.conn.transport.socket;
    this.net = this.wire?._socket ?? null;
    trusted ??= judge(this.wire);
    this.fast = trusted === true && this.wire?.extensions === '';
  }

  get drains(): boolean {
    return this.conn.writeBuffer.length < MAX_PACKETS && (this.net?.writableLength ?? 0) < MAX_BYTES;
  }

  /** Whatever is still on its way by the stock path goes first: then this one takes it too. */
  write({ text, bytes }: Packet): void {
    const { conn, wire, net } = this;
    if (
      this.fast &&
      wire?.readyState === OPEN &&
      conn.readyState === 'open' &&
      conn.writeBuffer.length === 0 &&
      net?.writable
    )
      net.write(bytes);
    else conn.write(text);
  }
}
