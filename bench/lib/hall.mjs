// The real socket door on a conference in memory: nothing between a change and the sockets but what the service has there.
import { createServer } from 'node:http';
import { ConferenceState } from '../../dist/libs/feed/conference-state.js';
import { createSocketDoor } from '../../dist/src/doors/sockets/socket-door.js';

const document = (version, json) => ({ channel: 'schedule', key: 'session/s1', version, mark: 'AAAAAAAA', json, traceparent: null, appendedAt: Date.now() });

export async function startHall({ body = JSON.stringify({ id: 's1', title: 'x'.repeat(300) }) } = {}) {
  const state = new ConferenceState({ epoch: 'e1', head: 0, floor: -1, documents: [document(0, body)] });
  const listeners = new Set();
  const feed = {
    conference: 'bench',
    get epoch() { return state.epoch; },
    get head() { return state.head; },
    age: () => 0,
    document: (...args) => state.document(...args),
    documents: (...args) => state.documents(...args),
    lastChange: (...args) => state.lastChange(...args),
    floor: (...args) => state.floor(...args),
    get proof() { return state.proof; },
    sum: (...args) => state.sum(...args),
    resume: (...args) => state.resume(...args),
    changes: (...args) => state.changes(...args),
    reached: async () => true,
    outcome: async () => null,
    settled: async () => true,
    suspect: () => undefined,
    onAdvance(listener) { listeners.add(listener); return () => listeners.delete(listener); },
  };
  const nothing = () => undefined;
  const logger = { error: console.error, warn: nothing, info: nothing, debug: nothing };
  const door = createSocketDoor({
    feed: { open: async () => ({ feed, release: nothing }), checkPrimary: async () => true },
    tokens: { verify: async () => ({ identity: { actor: 'bench', role: 'organizer', conference: '*' }, expiresAt: Date.now() + 3.6e6 }), endOf: () => undefined, onChange: () => () => undefined, now: Date.now, ticket: () => 'ticket', ticketClass: () => 'desk' },
    commands: {},
    logger,
    limits: { maxSockets: 20_000, reservedShare: 0.1, perSecond: { desk: 1e6, screen: 1e6, phone: 1e6 } },
  });
  const server = createServer();
  door.attach(server);
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return {
    url: `ws://127.0.0.1:${server.address().port}/socket.io/?EIO=4&transport=websocket&class=desk`,
    door,
    /** All followers' bare sockets. */
    sockets: () => [...door.halls.values()].flatMap((hall) => [...hall.followers.of('desk')]),
    change() {
      const head = state.head + 1;
      const from = state.head;
      state.apply([document(head, body)], head);
      for (const listener of listeners) listener({ epoch: 'e1', head, from, channels: new Set(['schedule']), reloaded: false });
    },
    async stop() {
      await door.close();
      server.close();
    },
  };
}
