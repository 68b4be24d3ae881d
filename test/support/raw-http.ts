/** Requests byte by byte: what `fetch` would normalize, or not send at all. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  /** Bytes that the connection took before it ended. */
  readonly sent: number;
}

/**
 * @param write sends the request; default: nothing
 * @returns the first answer that is not "100 Continue", once it is complete or the connection has ended
 */
export function rawHttp(url: string, write: (socket: Socket) => void): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => write(socket));
    let text = '';
    const finish = () => {
      const answer = parse(text);
      if (answer) resolve({ ...answer, sent: socket.bytesWritten });
      else reject(new Error(`the connection ended without an answer: ${text.slice(0, 200)}`));
      socket.destroy();
    };
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (parse(text)?.isComplete) finish();
    });
    socket.on('close', finish).on('error', () => undefined);
  });
}

function parse(text: string): { status: number; body: string; isComplete: boolean } | undefined {
  const [head = '', ...rest] = text.replace(/^HTTP\/1\.1 100 .*?\r\n\r\n/s, '').split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (!status) return undefined;
  const body = rest.join('\r\n\r\n');
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  const isComplete = length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length);
  return { status, body, isComplete };
}

/** Head of a request with these header lines. */
export const requestHead = (method: string, path: string, headers: readonly string[] = []): string =>
  `${method} ${path} HTTP/1.1\r\n${['host: hall', ...headers].join('\r\n')}\r\n\r\n`;
