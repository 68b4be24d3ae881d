import { io } from 'socket.io-client';
import type { CommandAck, RefusalBody } from '#libs/protocol';
import type { Transport } from './transport.js';

/** socket.io, websocket only; when to connect again is the state machine's business, not socket.io's. */
export function socketTransport(url: string): Transport {
  return {
    connect(handshake, events, ticket) {
      const socket = io(url, {
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        auth: { ...handshake },
        query: { class: handshake.class, ...(ticket ? { ticket } : {}) },
        timeout: 10_000,
      });
      let over = false;
      const end = (tell: () => void) => {
        if (over) return;
        over = true;
        socket.disconnect();
        tell();
      };
      socket.on('connect', () => events.connected());
      socket.on('connect_error', (error) => {
        const refusal = (error as { data?: RefusalBody }).data;
        end(() => (refusal ? events.refused(refusal) : events.disconnected()));
      });
      socket.on('disconnect', () => end(() => events.disconnected()));
      socket.on('refused', (refusal: RefusalBody) => end(() => events.refused(refusal)));
      socket.on('frame', (frame) => events.frame(frame));
      socket.on('beacon', (beacon) => events.beacon(beacon));
      socket.on('subscribed', (answer) => events.subscribed(answer));
      socket.on('drain', (drain) => events.drain(drain));
      socket.on('ticket', (message: { ticket?: unknown }) => {
        if (typeof message?.ticket === 'string') events.ticket(message.ticket);
      });
      return {
        subscribe: (channels, answered) => socket.emit('subscribe', { channels }, answered),
        unsubscribe: (channels) => socket.emit('unsubscribe', { channels }),
        command: (message, timeoutMs) =>
          socket.timeout(timeoutMs).emitWithAck('command', message) as Promise<CommandAck>,
        shown: (sample) => socket.emit('shown', sample),
        mismatch: (report) => socket.emit('mismatch', report),
        close: () => {
          over = true;
          socket.disconnect();
        },
      };
    },
  };
}
