import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { liveGeneration } from '#libs/projector';
import { openDemo } from '../../../test/support/process.js';
import { type Running, startRunning } from '../../../test/support/running.js';

interface Written {
  readonly epoch: string;
  readonly from: number | null;
  readonly to: number;
}

describe('answers to returning clients are counted once, by what came of them', () => {
  let running: Running;
  const sockets = new Set<Socket>();
  const counts = () => running.service.socketStats().resumes;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running.stop();
  });

  /** What is written first to one who goes on from there, and what that added to the counts. */
  async function comeBack(cursor: readonly [string, number] | null) {
    const before = counts();
    const auth = { protocol: 1, conference: 'demo', class: 'desk', token: await running.token('attendee') };
    const options = { transports: ['websocket'], reconnection: false, forceNew: true, query: { class: 'desk' } };
    const socket = io(running.service.url, { ...options, auth: { ...auth, channels: { schedule: cursor } } });
    sockets.add(socket);
    const first = await new Promise<Written | { readonly code: number } | null>((resolve) => {
      socket.once('frame', resolve).once('refused', resolve);
      // One that does not name the channel came while its answer was still being worked out.
      socket.on('beacon', ({ channels }: { channels: object }) => 'schedule' in channels && resolve(null));
    });
    const after = Object.entries(counts());
    return {
      first,
      added: Object.fromEntries(after.filter(([kind, count]) => count > before[kind as keyof typeof before])),
    };
  }
  const one = (kind: 'changes' | 'snapshot' | 'current' | 'ahead' | 'refused') => ({ [kind]: counts()[kind] });

  it('I6: where it was, behind, of another epoch, and ahead of what there is', async () => {
    const { first, added } = await comeBack(null);
    expect(added).toEqual(one('snapshot'));
    const { epoch, to } = first as Written;
    expect((await comeBack([epoch, to])).added).toEqual(one('current'));
    expect((await comeBack([epoch, 1])).added).toEqual(one('changes'));
    expect((await comeBack(['another', to])).added).toEqual(one('snapshot'));
    const lied = await comeBack([epoch, to + 1_000]);
    expect(lied.first).toMatchObject({ from: null, to });
    expect(lied.added).toEqual(one('ahead'));
  }, 30_000);

  it('I6: told to come again, because nobody can say within 5 s whether there is more', async () => {
    const { first } = await comeBack(null);
    const { epoch, to } = first as Written;
    const live = await liveGeneration(running.database.pool);
    const client = await running.database.pool.connect();
    await client.query(
      `begin; set local idle_in_transaction_session_timeout = 0; lock table ${live?.schema}.projection_checkpoint in exclusive mode`,
    );
    try {
      const { first: answer, added } = await comeBack([epoch, to + 1_000]);
      expect(answer).toMatchObject({ code: 103 });
      expect(added).toEqual(one('refused'));
    } finally {
      await client.query('rollback');
      client.release();
    }
  }, 30_000);
});
