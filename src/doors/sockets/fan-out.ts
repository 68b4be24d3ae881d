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

interface Sender {
  readonly _state: number;
  readonly _queue: readonly unknown[];
  readonly constructor: { frame?(data: Buffer, options: object): readonly Buffer[] };
}

interface Wire {
  readonly readyState: number;
  readonly _sender: Sender;
  readonly _socket: { readonly writable: boolean; write(bytes: Buffer): boolean } | null;
}

const OPEN = 1;
const IDLE = 0;
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
  if (typeof sender?._state !== 'number' || !Array.isArray(sender._queue)) return 'the websocket’s sender is another';
  if (typeof socket?.write !== 'function' || typeof socket.writable !== 'boolean')
    return 'there is no socket to write to';
  const { frame } = sender.constructor;
  if (!frame) return 'the websocket builds frames elsewhere';
  for (const size of [1, 200, 70_000]) {
    const { text, bytes } = packetOf('x', `"${'é'.repeat(size)}"`);
    const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
    if (!Buffer.concat(frame.call(sender.constructor, Buffer.from(MESSAGE + text), options)).equals(bytes))
      return 'the websocket builds other frames';
  }
  return true;
}

/** Whatever is still on its way by the stock path goes first: then this one takes it too. */
export function writePacket({ conn }: Socket, { text, bytes }: Packet): void {
  const { transport, writeBuffer } = conn as unknown as {
    transport: { socket?: Wire };
    writeBuffer: readonly unknown[];
  };
  const wire = transport.socket;
  trusted ??= judge(wire);
  if (
    trusted === true &&
    wire?.readyState === OPEN &&
    conn.readyState === 'open' &&
    writeBuffer.length === 0 &&
    wire._sender._state === IDLE &&
    wire._sender._queue.length === 0 &&
    wire._socket?.writable
  )
    wire._socket.write(bytes);
  else conn.write(text);
}
