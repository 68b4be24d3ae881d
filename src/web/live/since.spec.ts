import { expect, test } from '@jest/globals';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { differences, lookedAt, parseLooked } from './since.js';

const NOW = Date.parse('2026-11-23T09:00:00Z');
const session = (over: Partial<SessionDocument> = {}): SessionDocument => ({
  id: 's1',
  room: 'hall-a',
  kind: 'talk',
  title: 'A talk',
  subtitle: null,
  abstract: null,
  speakers: [],
  track: null,
  language: null,
  url: null,
  state: 'scheduled',
  planned: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
  expectedStart: null,
  actual: { start: null, end: null },
  because: null,
  before: [],
  pinned: false,
  recording: null,
  ...over,
});
const after = (over: Partial<SessionDocument>) =>
  differences(lookedAt([session()]), [session(over)], NOW).map(({ what, from }) => [what, from]);

test('nothing is different when nothing was changed', () => {
  expect(after({})).toEqual([]);
  expect(after({ title: 'A better title' })).toEqual([]);
});

test.each([
  ['cancelled', { state: 'cancelled' }],
  ['moved', { room: 'hall-b' }],
  ['new-time', { planned: { start: '2026-11-23T10:30:00Z', end: '2026-11-23T11:30:00Z' } }],
  ['delayed', { expectedStart: '2026-11-23T10:05:00Z' }],
] as const)('%s is told with where it was', (what, over) => {
  expect(after(over)).toEqual([[what, 'hall-a']]);
});

test('a session that came since is new, and what is over is of no interest', () => {
  expect(differences({}, [session()], NOW).map(({ what }) => what)).toEqual(['new']);
  expect(after({ state: 'ended', room: 'hall-b' })).toEqual([]);
});

test('what was taken back is told too', () => {
  const cancelled = lookedAt([session({ state: 'cancelled' })]);
  expect(differences(cancelled, [session()], NOW).map(({ what }) => what)).toEqual(['restored']);
  const delayed = lookedAt([session({ expectedStart: '2026-11-23T10:05:00Z' })]);
  expect(differences(delayed, [session()], NOW).map(({ what }) => what)).toEqual(['on-time']);
});

test('case V43: what was kept comes back, and anything else counts as never having looked', () => {
  expect(parseLooked(JSON.stringify(lookedAt([session()])))).toEqual(lookedAt([session()]));
  for (const text of [undefined, '', 'null', '[]', '7', '{', '{"s1":null}', '{"s1":["a"]}', '{"s1":["a","b",1,2]}'])
    expect(parseLooked(text)).toBeNull();
});
