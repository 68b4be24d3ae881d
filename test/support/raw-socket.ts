/** A client that speaks engine.io's framing by hand: it can be rude in ways that a library would not allow. */
import WebSocket from 'ws';

export interface RawSocket {
  readonly socket: WebSocket;
  /** Packets of socket.io that came: `["frame", …]`. */
  readonly events: (readonly [string, ...unknown[]])[];
  connect(auth: object): void;
  emit(event: string, data: unknown, ack?: number): void;
  /** Resolves when the connection is closed, by whom ever. */
  readonly closed: Promise<void>;
}

/** Resolves once engine.io has greeted; rejects if the upgrade is refused. */
export async function openRaw(url: string, query: Readonly<Record<string, string>> = {}): Promise<RawSocket> {
  const search = new URLSearchParams({ EIO: '4', transport: 'websocket', class: 'phone', ...query });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?${search}`);
  const events: (readonly [string, ...unknown[]])[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('0')) resolve();
      else if (text === '2') socket.send('3');
      else if (text.startsWith('42')) events.push(JSON.parse(text.slice(2)));
    });
  });
  return {
    socket,
    events,
    closed,
    connect: (auth) => socket.send(`40${JSON.stringify(auth)}`),
    emit: (event, data, ack) => socket.send(`42${ack ?? ''}${JSON.stringify([event, data])}`),
  };
}
