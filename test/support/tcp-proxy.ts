import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Where it leads; may change. */
  target: number;
  /** Destroys every connection with its bytes and takes no new one. */
  cut(): void;
  /** Keeps every connection open, also new ones, and swallows their bytes for ever: a network that drops packets without a word. */
  swallow(): void;
  /** New connections get through. */
  heal(): void;
  /** From now on the connections that stand carry nothing, as when a device sleeps; new ones do. */
  swallow(): void;
  close(): Promise<void>;
}

/** Between a browser and the service: its faults are real ones, connections die and bytes are lost. */
export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let open = true;
  let swallows = false;
  const pairs = new Set<{ isDead: boolean }>();
  const server = createServer((near) => {
    if (!open) return void near.destroy();
    const far = connect(proxy.target, '127.0.0.1');
    const pair = { isDead: swallows };
    pairs.add(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined); // A reset is what this proxy is for.
      one.setNoDelay(true);
      one.on('close', () => {
        sockets.delete(one);
        pairs.delete(pair);
        // An end is a packet, too.
        if (!pair.isDead) other.destroy();
      });
      one.on('data', (bytes) => pair.isDead || other.write(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    cut() {
      open = false;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    swallow() {
      swallows = true;
      for (const pair of pairs) pair.isDead = true;
    },
    heal() {
      open = true;
      swallows = false;
    },
    swallow() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.resume();
      }
    },
    async close() {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
