// Many websocket clients in a process of their own, as light as they can be: they count frames and say when all have come.
// Told by messages of its parent (swarms.mjs): {open}, {drop}, {expect}, {arrivals}; answers each under a key of its own.
import { WebSocket } from 'ws';

/** One in so many sockets looks into its frames; reading all of them would be the load. */
const LOOKS = 20;
/** Handshakes under way at a time. */
const AT_ONCE = 100;

let sockets = [];
let seen = 0;
let expected = Number.POSITIVE_INFINITY;
/** [class, version, milliseconds since 1970] of what the looking sockets got. */
let arrivals = [];
/** Where a socket that comes back goes on. */
let cursor = null;

function count(more) {
  seen += more;
  if (seen < expected) return;
  expected = Number.POSITIVE_INFINITY;
  const { user, system } = process.cpuUsage();
  process.send({ all: { cpu: user + system } });
}

const handshakeOf = ({ conference = 'bench', cls = 'desk', token = 'bench', channel = 'schedule', goOn, cursor: at = null }) =>
  `40${JSON.stringify({ protocol: 1, conference, class: cls, token, channels: { [channel]: goOn ? cursor : at } })}`;

const KINDS = {
  hallway: (socket, text, ready, order) => {
    if (text.startsWith('42["frame"')) {
      count(1);
      if (!socket.looks || !socket.isLive) return;
      const at = Date.now();
      for (const [, version] of JSON.parse(text.slice(text.indexOf(',') + 1, -1)).entries) arrivals.push([order.cls, version, at]);
    } else if (text === '2') socket.send('3');
    else if (text.startsWith('0')) socket.send(handshakeOf(order));
    else if (text.startsWith('42["subscribed"')) ready();
    // The first beacon: whatever came before it was there already.
    else if (text.startsWith('42["beacon"')) {
      socket.isLive = true;
      const epoch = /"epoch":("[^"]*")/.exec(text)?.[1];
      const head = /"head":(\d+)/.exec(text)?.[1];
      cursor = [JSON.parse(epoch), Number(head)];
    }
    else if (text.startsWith('44')) throw new Error(text);
  },
  'socket.io': (socket, text, ready) => {
    if (text === '2') socket.send('3');
    else if (text.startsWith('0')) socket.send('40');
    else if (text.startsWith('40')) ready();
  },
  centrifuge: (socket, text, ready) => {
    for (const line of text.split('\n')) {
      if (line.includes('"push"')) count(1);
      else if (line === '{}') socket.send('{}');
      else if (line.includes('"connect"')) ready();
    }
  },
};

/** Refused for now: again, each after a time of its own, as clients do. */
const again = (order) => new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400)).then(() => open(order));

function open(order) {
  const { url, kind } = order;
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('error', () => resolve(again(order)));
    socket.on('upgrade', () => {
      socket.looks = sockets.length % LOOKS === 0;
      sockets.push(socket);
    });
    if (kind === 'centrifuge') socket.on('open', () => socket.send('{"id":1,"connect":{}}'));
    socket.on('message', (data) => KINDS[kind](socket, data.toString(), resolve, order));
  });
}

process.on('message', async (message) => {
  if (message.expect !== undefined) {
    seen = 0;
    expected = message.expect;
    process.send({ armed: true });
  }
  if (message.arrivals) {
    process.send({ arrivals });
    arrivals = [];
  }
  if (message.drop) {
    for (const socket of sockets) socket.terminate();
    sockets = [];
    process.send({ dropped: true });
  }
  if (message.open) {
    const { count: many } = message.open;
    for (let from = 0; from < many; from += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, many - from) }, () => open(message.open)));
    process.send({ open: many });
  }
});
process.on('disconnect', () => process.exit());
