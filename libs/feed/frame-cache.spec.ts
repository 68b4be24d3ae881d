import { describe, expect, it } from '@jest/globals';
import type { StoredDocument } from './channel-state.js';
import { ConferenceState } from './conference-state.js';
import { FrameCache } from './frame-cache.js';
import type { EncodedFrame } from './types.js';

const stored = (channel: string, key: string, version: number, json: string | null = '{}'): StoredDocument => ({
  channel,
  key,
  version,
  mark: `m${version}`,
  json,
  traceparent: null,
  appendedAt: 0,
});

describe('encoded frames', () => {
  it('case S19: a snapshot is encoded once while votes change other channels, and again when its own changes', () => {
    const state = new ConferenceState({ epoch: 'e', head: 1, floor: 0, documents: [stored('schedule', 'a', 1)] });
    const snapshot = () => {
      const resumed = state.resume('schedule', null);
      if (resumed.kind !== 'snapshot') throw new Error(resumed.kind);
      return resumed.frame;
    };
    const first = snapshot();
    for (let version = 2; version < 100; version++) {
      state.apply([stored('session/s1/questions', 'q', version)], version);
      expect(snapshot()).toBe(first);
    }
    state.apply([stored('schedule', 'b', 100)], 100);
    expect(snapshot()).not.toBe(first);
    expect(snapshot().to).toBe(100);
  });

  it('case R8: all cursors between two changes of a channel share one frame, that leaves no hole for any of them', () => {
    const documents = [stored('schedule', 'a', 10), stored('schedule', 'b', 20), stored('schedule', 'c', 30)];
    const state = new ConferenceState({ epoch: 'e', head: 35, floor: 0, documents });
    const frames = new Set<EncodedFrame>();
    for (let cursor = 0; cursor < 35; cursor++) {
      const frame = state.changes('schedule', cursor);
      if (!frame) continue;
      frames.add(frame);
      expect(frame.from ?? -1).toBeLessThanOrEqual(cursor);
      const keys = (JSON.parse(frame.json) as { entries: [string][] }).entries.map(([key]) => key);
      expect(keys).toEqual(documents.filter(({ version }) => version > cursor).map(({ key }) => key));
    }
    expect(frames.size).toBe(3);
  });

  it('I9: what is kept is bounded in bytes, of one conference and of all; the counts are right whatever is dropped', () => {
    const cache = new FrameCache({ bytes: 100_000, bytesPerConference: 40_000 });
    const shares = Array.from({ length: 5 }, () => cache.conference());
    const states = shares.map((share) => new ConferenceState({ epoch: 'e', head: 0, floor: 0, documents: [] }, share));
    const text = JSON.stringify({ text: 'x'.repeat(1_000) });
    for (let version = 1; version <= 300; version++) {
      const state = states[version % states.length] as ConferenceState;
      const channel = `c${version % 7}`;
      state.apply([stored(channel, `k${version % 3}`, version, text)], version);
      state.resume(channel, null);
      state.changes(channel, Math.max(0, version - 20));
      const all = shares.map(({ bytes }) => bytes);
      expect(Math.max(...all)).toBeLessThanOrEqual(40_000);
      expect(cache.bytes).toBeLessThanOrEqual(100_000);
      expect(all.reduce((sum, bytes) => sum + bytes, 0)).toBe(cache.bytes);
    }
    expect(cache.bytes).toBeGreaterThan(50_000);
    for (const state of states) state.end();
    expect(cache.bytes).toBe(0);
    expect(shares.map(({ bytes }) => bytes)).toEqual([0, 0, 0, 0, 0]);
  });

  it('I9: frames of one person are not kept: a hall of people would push out what all need', () => {
    const cache = new FrameCache();
    const documents = [stored('me/ann', 'mine/state', 1), stored('schedule', 'a', 1)];
    const state = new ConferenceState({ epoch: 'e', head: 1, floor: 0, documents }, cache.conference());
    expect(state.resume('me/ann', null)).toMatchObject({ kind: 'snapshot', frame: { channel: 'me/ann', to: 1 } });
    expect(cache.bytes).toBe(0);
    state.resume('schedule', null);
    expect(cache.bytes).toBeGreaterThan(0);
  });

  it('I9: a frame larger than the bound is made each time and kept never', () => {
    const cache = new FrameCache({ bytes: 5_000, bytesPerConference: 5_000 });
    const documents = [stored('schedule', 'a', 1, JSON.stringify({ text: 'x'.repeat(10_000) }))];
    const state = new ConferenceState({ epoch: 'e', head: 1, floor: 0, documents }, cache.conference());
    expect(state.resume('schedule', null)).toMatchObject({ kind: 'snapshot', frame: { to: 1 } });
    expect(cache.bytes).toBe(0);
  });
});
