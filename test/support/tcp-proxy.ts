import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Where it leads; may change. */
  target: number;
  /** Destroys every connection with its bytes and takes no new one. */
  cut(): void;
  /** New connections get through. */
  heal(): void;
  /** From now on the connections that stand carry nothing, as when a device sleeps; new ones do. */
  swallow(): void;
  /** As a network that drops every packet: nothing is carried, no end of a connection is seen, and new ones carry nothing either until `heal`. */
  drop(): void;
  close(): Promise<void>;
}

interface Pair {
  carries: boolean;
  endsTogether: boolean;
}

/** Between a browser and the service: its faults are real ones, connections die and bytes are lost. */
export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const pairs = new Set<Pair>();
  let open = true;
  let drops = false;
  const server = createServer((near) => {
    if (!open) return void near.destroy();
    const far = connect(proxy.target, '127.0.0.1');
    const pair: Pair = { carries: !drops, endsTogether: !drops };
    pairs.add(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined); // A reset is what this proxy is for.
      one.on('close', () => {
        sockets.delete(one);
        pairs.delete(pair);
        if (pair.endsTogether) other.destroy();
      });
      one.on('end', () => pair.endsTogether && other.end());
      one.on('drain', () => other.resume());
      one.on('data', (bytes) => {
        if (pair.carries && !other.write(bytes)) one.pause();
      });
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
    heal() {
      open = true;
      drops = false;
    },
    swallow() {
      for (const pair of pairs) pair.carries = false;
      for (const socket of sockets) socket.resume();
    },
    drop() {
      proxy.swallow();
      drops = true;
      for (const pair of pairs) pair.endsTogether = false;
    },
    async close() {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
