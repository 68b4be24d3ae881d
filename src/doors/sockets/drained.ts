/** How far behind a reader is. */
import type { Socket } from 'socket.io';

/** More than this waiting in our memory for one reader: it is skipped, and later resumed by version (I9). */
const MAX_PACKETS = 16;
const MAX_BYTES = 64 * 1024;

export function isDrained(socket: Socket): boolean {
  const { writeBuffer, transport } = socket.conn as unknown as {
    writeBuffer: readonly unknown[];
    transport: { socket?: { _socket?: { writableLength: number } } };
  };
  return writeBuffer.length < MAX_PACKETS && (transport.socket?._socket?.writableLength ?? 0) < MAX_BYTES;
}
