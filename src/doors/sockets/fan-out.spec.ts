import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { type Conn, judge, Outlet, packetOf } from './fan-out.js';

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

const connOf = (wire = wireOf()) => new FakeConn(wire) as FakeConn & Conn;

describe('the fast path', () => {
  const packet = packetOf('frame', '{"to":1}');

  it('writes the frame that was built once, as it is', () => {
    const conn = connOf();
    new Outlet(conn).write(packet);
    expect(conn.transport.socket._socket.write).toHaveBeenCalledWith(packet.bytes);
    expect(conn.write).not.toHaveBeenCalled();
    expect(packet.bytes.subarray(2).toString()).toBe('42["frame",{"to":1}]');
  });

  it('leaves to the stock path what was begun there, until it has drained', () => {
    const conn = connOf();
    const fast = conn.transport.socket._socket.write;
    const outlet = new Outlet(conn);
    conn.emit('packetCreate');
    outlet.write(packet);
    conn.writeBuffer = ['not yet taken by the transport'];
    conn.emit('drain');
    outlet.write(packet);
    expect(conn.write.mock.calls).toEqual([[packet.text], [packet.text]]);
    expect(fast).not.toHaveBeenCalled();
    conn.writeBuffer = [];
    conn.emit('drain');
    outlet.write(packet);
    expect(fast).toHaveBeenCalledTimes(1);
    conn.emit('close');
    outlet.write(packet);
    expect(conn.write).toHaveBeenCalledTimes(3);
  });

  it('leaves to the stock path what compresses, what is closing and what takes no bytes', () => {
    const compressing = connOf(wireOf({ extensions: 'permessage-deflate' }));
    const ended = connOf(wireOf({ _socket: { writable: false, writableLength: 0, write: jest.fn() } }));
    const closing = connOf();
    closing.readyState = 'closing';
    for (const conn of [compressing, ended, closing]) {
      new Outlet(conn).write(packet);
      expect(conn.write).toHaveBeenCalledWith(packet.text);
      expect(conn.transport.socket._socket.write).not.toHaveBeenCalled();
    }
  });

  it('says who does not drain: too many packets in engine.io, or too many bytes in the socket', () => {
    const drains = (over: object, waiting: unknown[] = []) =>
      new Outlet(Object.assign(connOf(wireOf(over)), { writeBuffer: waiting })).drains;
    expect(drains({})).toBe(true);
    expect(drains({}, Array.from({ length: 16 }))).toBe(false);
    expect(drains({ _socket: { writable: true, writableLength: 65_536, write: jest.fn() } })).toBe(false);
  });

  it('judges libraries by what they would send, and says what is different', () => {
    expect(judge(wireOf())).toBe(true);
    class Masking extends Sender {
      static override frame(data: Buffer): Buffer[] {
        return [Buffer.from([0x81, 0x80 | data.length]), data];
      }
    }
    expect(judge(undefined)).toMatch(/no websocket/);
    expect(judge(wireOf({ _sender: {} }))).toMatch(/elsewhere/);
    expect(judge(wireOf({ _socket: null }))).toMatch(/no socket/);
    expect(judge(wireOf({ _sender: new Masking() }))).toMatch(/other frames/);
  });
});
