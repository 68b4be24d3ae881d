// Many websocket clients in a process of their own, as light as they can be: they count frames and say when all have come.
// Told by messages of its parent: {open: {url, count, kind}}, {expect: n}; says {open}, {all}, {cpu}.
import { WebSocket } from 'ws';

const sockets = [];
let seen = 0;
let expected = Number.POSITIVE_INFINITY;

function count(more) {
  seen += more;
  if (seen < expected) return;
  expected = Number.POSITIVE_INFINITY;
  const { user, system } = process.cpuUsage();
  process.send({ all: true, cpu: user + system });
}

const KINDS = {
  hallway: (socket, text, ready) => {
    if (text.startsWith('42["frame"')) count(1);
    else if (text === '2') socket.send('3');
    else if (text.startsWith('0')) socket.send('40{"protocol":1,"conference":"bench","class":"desk","token":"bench"}');
    else if (text.startsWith('40')) socket.send('420["subscribe",{"channels":{"schedule":["e1",0]}}]');
    else if (text.startsWith('430')) ready();
  },
  centrifuge: (socket, text, ready) => {
    for (const line of text.split('\n')) {
      if (line.includes('"push"')) count(1);
      else if (line === '{}') socket.send('{}');
      else if (line.includes('"connect"')) ready();
    }
  },
};

function open({ url, kind }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    sockets.push(socket);
    socket.on('error', reject);
    if (kind === 'centrifuge') socket.on('open', () => socket.send('{"id":1,"connect":{}}'));
    socket.on('message', (data) => KINDS[kind](socket, data.toString(), resolve));
  });
}

process.on('message', async (message) => {
  if (message.expect !== undefined) {
    seen = 0;
    expected = message.expect;
    process.send({ armed: true });
  }
  if (message.open) {
    const { count: many } = message.open;
    for (let from = 0; from < many; from += 100)
      await Promise.all(Array.from({ length: Math.min(100, many - from) }, () => open(message.open)));
    process.send({ open: many });
  }
});
process.on('disconnect', () => process.exit());
