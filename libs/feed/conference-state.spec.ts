import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Frame } from '#libs/protocol';
import { MAX_TOMBSTONES, type StoredDocument } from './channel-state.js';
import { ConferenceState } from './conference-state.js';
import type { EncodedFrame } from './types.js';

const EPOCH = 'log/1';
const CHANNEL = 'schedule';

function stored(key: string, version: number, alive = true): StoredDocument {
  return {
    mark: `m${version}`,
    channel: CHANNEL,
    key,
    version,
    json: alive ? `{"v":${version}}` : null,
    traceparent: null,
    appendedAt: 0,
  };
}

function stateAt(head: number, documents: readonly StoredDocument[] = [], floor = 0): ConferenceState {
  return new ConferenceState({ epoch: EPOCH, head, floor, documents });
}

const parse = (frame: EncodedFrame): Frame => JSON.parse(frame.json);

/** A copy of one channel by the rules of I5 and I6. */
class Copy {
  to = -1;
  documents = new Map<string, { version: number; body: object | null }>();

  receive(frame: Frame): 'applied' | 'ignored' | 'gap' {
    if (frame.from !== null) {
      if (frame.to <= this.to) return 'ignored';
      if (frame.from > this.to) return 'gap';
    } else this.documents = new Map();
    for (const [key, version, body] of frame.entries) {
      if (version > (this.documents.get(key)?.version ?? -1)) this.documents.set(key, { version, body });
    }
    this.to = frame.to;
    return 'applied';
  }

  living(): [string, number][] {
    const alive = [...this.documents].filter(([, { body }]) => body !== null);
    return alive.map(([key, { version }]): [string, number] => [key, version]).sort();
  }
}

const living = (state: ConferenceState) =>
  state
    .documents(CHANNEL)
    .map(({ key, version }): [string, number] => [key, version])
    .sort();

const batches = fc.array(
  fc.record({
    keys: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), alive: fc.boolean() }), { maxLength: 4 }),
    fate: fc.constantFrom('sent', 'lost', 'late', 'twice'),
  }),
  { maxLength: 40 },
);

describe('ConferenceState', () => {
  it('a frame tells since when the longest of its changes has waited', () => {
    const state = stateAt(1, [stored('a', 1)]);
    const late = [40, 0, 10, 30].map((appendedAt, index) => ({ ...stored(`k${index}`, index + 2), appendedAt }));
    state.apply(late, 5);
    expect(state.changes(CHANNEL, 1)).toMatchObject({
      appendedAt: 10,
      json: expect.stringContaining('"appendedAt":10}'),
    });
    expect(state.changes(CHANNEL, 4)).toMatchObject({ appendedAt: 30 });
    expect(state.resume(CHANNEL, [EPOCH, 5])).toEqual({ kind: 'current' });
    state.apply([stored('b', 6)], 6);
    expect(state.changes(CHANNEL, 5)).toMatchObject({ appendedAt: 0 });
  });

  it('I5, I6: frames lost, late and repeated, gaps resumed, end in the state of a fresh snapshot', () => {
    fc.assert(
      fc.property(batches, (steps) => {
        const state = stateAt(0);
        const copy = new Copy();
        const late: Frame[] = [];
        let sentTo = 0;
        const resume = () => {
          const answer = state.resume(CHANNEL, copy.to < 0 ? null : [EPOCH, copy.to]);
          if ('frame' in answer) copy.receive(parse(answer.frame));
        };
        const receive = (frame: Frame) => {
          if (copy.receive(frame) === 'gap') resume();
        };
        resume();
        for (const [index, { keys, fate }] of steps.entries()) {
          const head = index + 1;
          state.apply(
            keys.map(({ key, alive }) => stored(key, head, alive)),
            head,
          );
          const encoded = state.changes(CHANNEL, Math.max(sentTo, state.floor(CHANNEL)));
          if (!encoded) continue;
          sentTo = encoded.to;
          const frame = parse(encoded);
          if (fate === 'late') late.push(frame);
          else if (fate !== 'lost') receive(frame);
          if (fate === 'twice') receive(frame);
          if (index % 5 === 0) for (const old of late.splice(0).reverse()) receive(old);
        }
        if (copy.to < state.lastChange(CHANNEL)) resume();
        expect(copy.living()).toEqual(living(state));
      }),
    );
  });

  it('I5: an older or equal version changes nothing', () => {
    const state = stateAt(5, [stored('a', 5)]);
    expect([...state.apply([stored('a', 4, false), stored('a', 5, false)], 6)]).toEqual([]);
    expect(state.document(CHANNEL, 'a')).toMatchObject({ version: 5, body: { v: 5 } });
  });

  it('I6: a cursor is answered by current, changes, snapshot or ahead', () => {
    const state = stateAt(10, [stored('a', 4), stored('b', 7, false), stored('c', 8)], 3);
    expect(state.resume(CHANNEL, [EPOCH, 8])).toEqual({ kind: 'current' });
    expect(state.resume(CHANNEL, [EPOCH, 11])).toEqual({ kind: 'ahead' });
    expect(state.resume(CHANNEL, ['log/2', 8])).toEqual({ kind: 'ahead' });
    expect(state.resume(CHANNEL, [EPOCH, 2]).kind).toBe('snapshot');
    const changes = state.changes(CHANNEL, 5);
    const entries = [
      ['b', 7, null],
      ['c', 8, { v: 8 }],
    ];
    expect(changes && parse(changes)).toEqual({
      epoch: EPOCH,
      channel: CHANNEL,
      from: 4,
      to: 10,
      entries,
      marks: ['', 'm8'],
    });
    expect(state.resume(CHANNEL, [EPOCH, 5])).toEqual({ kind: 'changes', frame: changes });
    const fresh = state.resume(CHANNEL, null);
    const shown = [
      ['a', 4, { v: 4 }],
      ['c', 8, { v: 8 }],
    ];
    expect('frame' in fresh && parse(fresh.frame)).toMatchObject({ from: null, to: 10, entries: shown });
  });

  it('I6: a channel that never had a document has an empty snapshot, complete to the head', () => {
    const answer = stateAt(10).resume('updates', null);
    expect('frame' in answer && parse(answer.frame)).toMatchObject({ from: null, to: 10, entries: [] });
  });

  it('I8: equal needs share one encoded text, until the channel changes', () => {
    const state = stateAt(5, [stored('a', 2), stored('b', 5)]);
    expect(state.changes(CHANNEL, 3)).toBe(state.changes(CHANNEL, 3));
    const text = () => {
      const answer = state.resume(CHANNEL, null);
      return 'frame' in answer ? answer.frame : answer;
    };
    expect(text()).toBe(text());
    state.apply([], 6);
    expect(state.changes(CHANNEL, 3)?.to).toBe(5);
    state.apply([stored('a', 7)], 7);
    expect(state.changes(CHANNEL, 3)?.to).toBe(7);
  });

  it('I9: 2,000 tombstones are kept, the newest dropped one is the floor, and below it the answer is a snapshot', () => {
    const state = stateAt(0);
    const count = MAX_TOMBSTONES + 3;
    const gone = Array.from({ length: count }, (_, index) => stored(`k${index}`, index + 1, false));
    state.apply(gone, count);
    expect(state.floor(CHANNEL)).toBe(3);
    expect(state.changes(CHANNEL, 2)?.from).toBeNull();
    expect(state.changes(CHANNEL, 3)?.from).toBe(3);
    expect([...state.apply([stored('k0', 1)], count)]).toEqual([]);
  });

  it('I12: a frame carries the trace of its newest sampled change', () => {
    const trace = (id: string, flags: string) => `00-${id.repeat(32)}-${id.repeat(16)}-${flags}`;
    const state = stateAt(3, [
      { ...stored('a', 1), traceparent: trace('a', '01') },
      { ...stored('b', 2), traceparent: trace('b', '01') },
      { ...stored('c', 3), traceparent: trace('c', '00') },
    ]);
    const frame = state.changes(CHANNEL, 0);
    expect(frame && parse(frame).traceparent).toBe(trace('b', '01'));
  });
});
