import { describe, expect, it, jest } from '@jest/globals';
import type { Socket } from 'socket.io';
import { judge, Outlet, packetOf } from './fan-out.js';

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

function socketOf(wire: ReturnType<typeof wireOf>, over: object = {}) {
  const write = jest.fn();
  const socket = { conn: { transport: { socket: wire }, writeBuffer: [], readyState: 'open', write, ...over } };
  return { socket: socket as unknown as Socket, write };
}

describe('the fast path', () => {
  const packet = packetOf('frame', '{"to":1}');

  it('writes the frame that was built once, as it is', () => {
    const wire = wireOf();
    const { socket, write } = socketOf(wire);
    new Outlet(socket).write(packet);
    expect(wire._socket.write).toHaveBeenCalledWith(packet.bytes);
    expect(write).not.toHaveBeenCalled();
    expect(packet.bytes.subarray(2).toString()).toBe('42["frame",{"to":1}]');
  });

  it('leaves the stock path its order, and a socket that is none any more to it', () => {
    for (const [wire, over] of [
      [wireOf(), { writeBuffer: ['waiting'] }],
      [wireOf(), { readyState: 'closing' }],
      [wireOf({ readyState: 2 }), {}],
      [wireOf({ extensions: 'permessage-deflate' }), {}],
      [wireOf({ _socket: { writable: false, writableLength: 0, write: jest.fn() } }), {}],
    ] as const) {
      const { socket, write } = socketOf(wire, over);
      new Outlet(socket).write(packet);
      expect(write).toHaveBeenCalledWith(packet.text);
      expect(wire._socket.write).not.toHaveBeenCalled();
    }
  });

  it('says who does not drain: too many packets in engine.io, or too many bytes in the socket', () => {
    const drains = (over: object, waiting: unknown[] = []) =>
      new Outlet(socketOf(wireOf(over), { writeBuffer: waiting }).socket).drains;
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
