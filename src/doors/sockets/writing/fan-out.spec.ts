import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { type Conn, type Packet, packetOf, SocketWriter, verifyWsInternals } from './fan-out.js';
import { Unread } from './unread.js';

/** As ws has it. */
class Sender {
  readonly _state = 0;
  static frame(data: Buffer, { opcode }: { opcode: number }): Buffer[] {
    const head =
      data.length < 126 ? Buffer.from([0x80 | opcode, data.length]) : Buffer.alloc(data.length < 65_536 ? 4 : 10);
    if (data.length >= 126) {
      head[0] = 0x80 | opcode;
      head[1] = data.length < 65_536 ? 126 : 127;
      if (data.length < 65_536) head.writeUInt16BE(data.length, 2);
      else head.writeUIntBE(data.length, 4, 6);
    }
    return [head, data];
  }
}

const wireOf = (over: object = {}) => ({
  readyState: 1,
  extensions: '',
  _sender: new Sender(),
  _socket: { writable: true, writableLength: 0, write: jest.fn((_bytes: Buffer) => true) },
  ...over,
});

class FakeConn extends EventEmitter {
  readyState = 'open';
  writeBuffer: unknown[] = [];
  readonly transport;
  readonly write = jest.fn();
  constructor(socket: ReturnType<typeof wireOf>) {
    super();
    this.transport = { socket };
  }
}

const writerOf = (conn: Conn, unread = new Unread()) => new SocketWriter(conn, unread, 'ann');
const connOf = (wire = wireOf()) => new FakeConn(wire) as FakeConn & Conn;

describe('the fast path', () => {
  const packet = packetOf('frame', '{"to":1}');

  it('writes the frame that was built once, as it is', () => {
    const conn = connOf();
    writerOf(conn).write(packet);
    expect(conn.transport.socket._socket.write).toHaveBeenCalledWith(packet.bytes);
    expect(conn.write).not.toHaveBeenCalled();
    expect(packet.bytes.subarray(2).toString()).toBe('42["frame",{"to":1}]');
  });

  it('leaves to the stock path what was begun there, until it has drained', () => {
    const conn = connOf();
    const fast = conn.transport.socket._socket.write;
    const writer = writerOf(conn);
    conn.emit('packetCreate');
    writer.write(packet);
    conn.writeBuffer = ['not yet taken by the transport'];
    conn.emit('drain');
    writer.write(packet);
    expect(conn.write.mock.calls).toEqual([[packet.text], [packet.text]]);
    expect(fast).not.toHaveBeenCalled();
    conn.writeBuffer = [];
    conn.emit('drain');
    writer.write(packet);
    expect(fast).toHaveBeenCalledTimes(1);
    conn.emit('close');
    expect(writer.write(packet)).toBe(false);
    expect(conn.write).toHaveBeenCalledTimes(2);
  });

  it('case V24: after the goodbye nothing is written', () => {
    const conn = connOf();
    const writer = writerOf(conn);
    writer.end(packet);
    expect(writer.write(packet)).toBe(false);
    expect(conn.transport.socket._socket.write).toHaveBeenCalledTimes(1);
  });

  it('case R8: a large packet that many sockets have not read is counted once, and not at all once they have or are closed', () => {
    const large = packetOf('frame', `"${'x'.repeat(50_000)}"`);
    const unread = new Unread();
    const written: (() => void)[] = [];
    const conns = Array.from({ length: 3 }, () => {
      const wire = wireOf({
        _socket: { writable: true, writableLength: 0, write: (_: Buffer, done: () => void) => written.push(done) > 0 },
      });
      return connOf(wire);
    });
    for (const conn of conns) expect(writerOf(conn, unread).write(large)).toBe(true);
    expect(unread.bytes).toBe(large.bytes.length);
    written[0]?.();
    conns[1]?.emit('close');
    written[1]?.();
    expect(unread.bytes).toBe(large.bytes.length);
    written[2]?.();
    expect(unread.bytes).toBe(0);
  });

  it('case R8: beyond the bytes of all, or of one person, nothing large is written; the first always is', () => {
    const packets = Array.from({ length: 4 }, (_, n) => packetOf('frame', `"${String(n).repeat(50_000)}"`));
    const size = packets[0]?.bytes.length ?? 0;
    const all = new Unread({ bytes: 2 * size, bytesPerPerson: 10 * size });
    const add = (unread: Unread, n: number, person: string) => unread.add(packets[n] as Packet, person);
    expect([0, 1, 2].map((n) => add(all, n, `p${n}`))).toEqual([true, true, false]);
    expect(add(all, 0, 'p9')).toBe(true);
    const one = new Unread({ bytes: 10 * size, bytesPerPerson: size });
    expect([add(one, 0, 'ann'), add(one, 1, 'ann'), add(one, 1, 'ben')]).toEqual([true, false, true]);
    const small = new Unread({ bytes: 1, bytesPerPerson: 1 });
    expect([add(small, 0, 'ann'), add(small, 1, 'ann')]).toEqual([true, false]);
    small.remove(packets[0] as Packet, 'ann');
    expect(add(small, 1, 'ann')).toBe(true);
  });

  it('leaves to the stock path what compresses, what is closing and what takes no bytes', () => {
    const compressing = connOf(wireOf({ extensions: 'permessage-deflate' }));
    const ended = connOf(wireOf({ _socket: { writable: false, writableLength: 0, write: jest.fn() } }));
    const closing = connOf();
    closing.readyState = 'closing';
    for (const conn of [compressing, ended, closing]) {
      writerOf(conn).write(packet);
      expect(conn.write).toHaveBeenCalledWith(packet.text);
      expect(conn.transport.socket._socket.write).not.toHaveBeenCalled();
    }
  });

  it('case V24: says who does not read, and writes nothing there: too many packets in engine.io, or too many bytes in the socket', () => {
    const isWritable = (over: object, waiting: unknown[] = []) =>
      writerOf(Object.assign(connOf(wireOf(over)), { writeBuffer: waiting })).isWritable;
    expect(isWritable({})).toBe(true);
    expect(isWritable({}, Array.from({ length: 16 }))).toBe(false);
    expect(isWritable({ _socket: { writable: true, writableLength: 65_536, write: jest.fn() } })).toBe(false);
  });

  it('judges libraries by what they would send, and says what is different', () => {
    expect(verifyWsInternals(wireOf())).toBe(true);
    class Masking extends Sender {
      static override frame(data: Buffer): Buffer[] {
        return [Buffer.from([0x81, 0x80 | data.length]), data];
      }
    }
    expect(verifyWsInternals(undefined)).toMatch(/no websocket/);
    expect(verifyWsInternals(wireOf({ _sender: {} }))).toMatch(/elsewhere/);
    expect(verifyWsInternals(wireOf({ _socket: null }))).toMatch(/no socket/);
    expect(verifyWsInternals(wireOf({ _sender: new Masking() }))).toMatch(/other frames/);
  });
});
