// A hall that votes at a given rate, in a process of its own: open-loop, each voter on a connection of its own kind, as light as can be.
// Told by its parent: {prepare: {kind, port, tokens, questions}}, {run: {perSecond, seconds}}; answers {prepared}, {ran}.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

/** Votes under way at a time; a load that has no free connection left is counted as unsent. */
const MAX_CONNECTIONS = 3_000;
/** Sockets that open at a time. */
const AT_ONCE = 100;
const ANSWER = /"outcome":"([a-z-]+)"/;
const CODE = /"code":(\d+)/;

/** What became of one vote: an outcome, or the number of a refusal. */
const outcomeIn = (text) => ANSWER.exec(text)?.[1] ?? CODE.exec(text)?.[1] ?? 'lost';

/** Keep-alive connections that are written and read by hand: an HTTP client would cost more than the service. */
function httpHall({ port, tokens }) {
  const idle = [];
  let open = 0;
  const dial = () => {
    open += 1;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = { socket, told: undefined, text: '' };
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      connection.text += chunk;
      const body = connection.text.indexOf('\r\n\r\n') + 4;
      if (body < 4) return;
      const length = Number(/content-length: (\d+)/i.exec(connection.text)?.[1] ?? 0);
      if (connection.text.length < body + length) return;
      const { told, text } = connection;
      const ends = /connection: close/i.test(text);
      connection.text = '';
      connection.told = undefined;
      if (!ends) idle.push(connection);
      told?.(outcomeIn(text.slice(body)));
    });
    const ended = () => {
      if (connection.over) return;
      connection.over = true;
      open -= 1;
      connection.told?.('lost');
    };
    socket.on('error', ended);
    socket.on('close', ended);
    return connection;
  };
  return {
    async prepare() {},
    send(voter, body, told) {
      let connection = idle.pop();
      while (connection?.over) connection = idle.pop();
      if (!connection && open >= MAX_CONNECTIONS) return false;
      connection ??= dial();
      connection.told = told;
      connection.socket.write(`POST /v1/conferences/bench/commands HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${tokens[voter]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return true;
    },
  };
}

function socketHall({ port, tokens }) {
  const sockets = [];
  const told = new Map();
  let packet = 0;
  const join = (voter) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&class=phone`, { perMessageDeflate: false });
      const auth = { protocol: 1, conference: 'bench', class: 'phone', token: tokens[voter] };
      socket.on('error', () => setTimeout(() => join(voter).then(resolve), 200 + Math.random() * 400));
      socket.on('message', (data) => {
        const text = data.toString();
        if (text === '2') socket.send('3');
        else if (text[0] === '0') socket.send(`40${JSON.stringify(auth)}`);
        else if (text.startsWith('40')) {
          sockets[voter] = socket;
          resolve();
        } else if (text.startsWith('43')) {
          const id = Number(/^43(\d+)/.exec(text)?.[1]);
          told.get(id)?.(outcomeIn(text));
          told.delete(id);
        }
      });
    });
  return {
    async prepare() {
      for (let from = 0; from < tokens.length; from += AT_ONCE)
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, tokens.length - from) }, (_, index) => join(from + index)));
    },
    send(voter, body, tell) {
      const id = packet++;
      told.set(id, tell);
      sockets[voter].send(`42${id}["command",${body}]`);
      return true;
    },
  };
}

let hall;
let order;
let next = 0;

/** Every voter votes once for every question; neighbours in time are different people who vote for one of the first few. */
function vote(tell) {
  const { tokens, questions } = order;
  const voter = next % tokens.length;
  const question = questions[(Math.floor(next / tokens.length) + voter) % questions.length];
  next += 1;
  const body = `{"id":"${randomUUID()}","type":"upvote-question","data":{"question":"${question}"}}`;
  return hall.send(voter, body, tell);
}

async function run({ perSecond, seconds }) {
  const answers = [];
  const under = new Set();
  let unsent = 0;
  const started = performance.now();
  for (let sent = 0; sent < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - started) / 1_000) * perSecond));
    for (; sent < due; sent++) {
      const at = performance.now();
      under.add(sent);
      const id = sent;
      if (!vote((outcome) => under.delete(id) && answers.push([outcome, performance.now() - at, performance.now() - started]))) {
        under.delete(id);
        unsent += 1;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  process.send({ offered: true });
  const end = performance.now() + 15_000;
  while (under.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return { answers, unsent, unanswered: under.size, drained: (performance.now() - started) / 1_000 - seconds };
}

process.on('message', async (message) => {
  if (message.prepare) {
    order = message.prepare;
    hall = (order.kind === 'http' ? httpHall : socketHall)(order);
    await hall.prepare();
    process.send({ prepared: true });
  }
  if (message.run) process.send({ ran: await run(message.run) });
});
process.on('disconnect', () => process.exit());
