// Many phones in a process of their own. Told by a message of its parent: {url, count, first}; answers when all have a beacon.
import { WebSocket } from 'ws';

const AT_ONCE = 50;
/** Places to come from: one address has some 28,000 ports. */
const ADDRESSES = 8;

function open(url, number) {
  return new Promise((resolve) => {
    const again = () => setTimeout(() => open(url, number).then(resolve), 100 + Math.random() * 400);
    const socket = new WebSocket(url, { perMessageDeflate: false, localAddress: `127.0.0.${1 + (number % ADDRESSES)}` });
    const token = `p${number}`;
    const channels = { schedule: null, updates: null, [`me/${token}`]: null, 'session/s1/questions': null };
    let isThere = false;
    socket.on('error', () => undefined);
    socket.on('close', () => isThere || again());
    socket.on('message', (data) => {
      const first = data.subarray(0, 12).toString();
      if (first === '2') socket.send('3');
      else if (first.startsWith('0')) socket.send(`40${JSON.stringify({ protocol: 1, conference: 'bench', class: 'phone', token, channels })}`);
      else if (!isThere && first.startsWith('42["beacon"')) {
        isThere = true;
        resolve();
      }
    });
  });
}

process.on('message', async ({ url, count, first }) => {
  for (let from = 0; from < count; from += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => open(url, first + from + index)));
  process.send({ open: count });
});
process.on('disconnect', () => process.exit());
