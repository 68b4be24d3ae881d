/** Writing to one socket: the same text for all who need the same, and how far behind the reader is. */
import type { Socket } from 'socket.io';

/** More than this waiting in our memory for one reader: it is skipped, and later resumed by version (I9). */
const MAX_PACKETS = 16;
const MAX_BYTES = 64 * 1024;

/** A socket.io event packet with an already encoded argument; made once, written to many. */
export const packetOf = (event: string, json: string): string => `2["${event}",${json}]`;

/** Past socket.io's encoder: it would encode the same object again for each socket. */
export function writePacket(socket: Socket, packet: string): void {
  socket.conn.write(packet);
}

export function isDrained(socket: Socket): boolean {
  const { writeBuffer, transport } = socket.conn as unknown as {
    writeBuffer: readonly unknown[];
    transport: { socket?: { _socket?: { writableLength: number } } };
  };
  return writeBuffer.length < MAX_PACKETS && (transport.socket?._socket?.writableLength ?? 0) < MAX_BYTES;
}
