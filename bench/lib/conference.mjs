// The real socket door on a conference in memory with what phones follow. Times of the database are left out; all else is as in the service.
import { createServer } from 'node:http';
import { ConferenceState } from '../../dist/libs/feed/conference-state.js';
import { createSocketDoor } from '../../dist/src/doors/sockets/socket-door.js';

const text = (size) => 'x'.repeat(size);
const document = (channel, key, version, body) => ({ channel, key, version, mark: `m${version}`, json: JSON.stringify(body), traceparent: null, appendedAt: Date.now() });

export async function startConference() {
  let head = 0;
  const documents = [
    ...Array.from({ length: 100 }, (_, index) => ['schedule', `session/s${index}`, { id: `s${index}`, title: text(300) }]),
    ...Array.from({ length: 5 }, (_, index) => ['updates', `update/u${index}`, { id: `u${index}`, text: text(200) }]),
    ...Array.from({ length: 50 }, (_, index) => ['session/s1/questions', `question/q${index}`, { id: `q${index}`, text: text(150), votes: index }]),
  ].map(([channel, key, body]) => document(channel, key, ++head, body));
  const state = new ConferenceState({ epoch: 'e1', head, floor: -1, documents });
  const listeners = new Set();
  const feed = {
    conference: 'bench',
    get epoch() { return state.epoch; },
    get head() { return state.head; },
    get proof() { return state.proof; },
    age: () => 0,
    document: (...args) => state.document(...args),
    documents: (...args) => state.documents(...args),
    lastChange: (...args) => state.lastChange(...args),
    sum: (...args) => state.sum?.(...args) ?? 0,
    floor: (...args) => state.floor(...args),
    resume: (...args) => state.resume(...args),
    changes: (...args) => state.changes(...args),
    reached: async () => true,
    settled: async () => true,
    onAdvance(listener) { listeners.add(listener); return () => listeners.delete(listener); },
  };
  const nothing = () => undefined;
  const logger = { error: console.error, warn: nothing, info: nothing, debug: nothing };
  const tokens = {
    verify: async (token) => ({ id: null, key: null, identity: { actor: token, role: 'attendee', conference: 'bench' }, issuedAt: 0, since: 0, expiresAt: Date.now() + 3.6e6 }),
    endOf: nothing,
    onChange: () => nothing,
    now: Date.now,
    ticket: () => 'ticket',
    ticketClass: () => 'phone',
  };
  const door = createSocketDoor({
    feed: { open: async () => ({ feed, release: nothing }), checkPrimary: async () => true },
    tokens,
    commands: {},
    logger,
    limits: { maxSockets: 25_000, reservedShare: 0.1, perSecond: { desk: 1e6, screen: 1e6, phone: 1e6 } },
  });
  const server = createServer();
  door.attach(server);
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return {
    url: `ws://127.0.0.1:${server.address().port}/socket.io/?EIO=4&transport=websocket&class=phone`,
    get stats() { return door.stats(); },
    change(channel) {
      const from = state.head;
      const next = from + 1;
      const key = { schedule: 'session/s1', 'session/s1/questions': 'question/q1', _access: 'moderator/m1' }[channel] ?? 'mine/state';
      state.apply([document(channel, key, next, { id: key, text: text(200), votes: next })], next);
      for (const listener of listeners) listener({ epoch: 'e1', head: next, from, channels: new Set([channel]), reloaded: false });
    },
    async stop() {
      await door.close();
      server.close();
    },
  };
}
