import { expect, test } from '@jest/globals';
import type { DeskQuestionDocument } from '../../conference/questions/documents.js';
import { actOfKey, columnsOf, possible, questionAct } from './question-acts.js';

const question = (over: Partial<DeskQuestionDocument> = {}): DeskQuestionDocument => ({
  id: 'q1',
  text: 'Why?',
  name: null,
  votes: 0,
  state: 'pending',
  askedAt: '2026-11-23T10:00:00Z',
  answer: null,
  queued: null,
  because: null,
  actor: null,
  edited: false,
  ...over,
});

test('I10: every act that can be done offers what takes it back', () => {
  for (const state of ['pending', 'approved', 'taken', 'answered', 'dismissed', 'withdrawn'] as const)
    for (const queued of [null, 2])
      for (const name of possible(question({ state, queued }))) {
        const { act, undo } = questionAct(name, question({ state, queued }), { taken: null });
        expect(undo?.type).toBeDefined();
        expect(undo?.type).not.toBe(act.type);
      }
});

test('I10: taking another question back brings the former one on stage again', () => {
  const { undo } = questionAct('take', question({ state: 'approved' }), { taken: 'q0' });
  expect(undo).toEqual({ type: 'take-question', data: { question: 'q0' } });
});

test('keys mean what is possible in the state, and nothing else', () => {
  expect(actOfKey('a', question())).toBe('approve');
  expect(actOfKey('t', question())).toBeUndefined();
  expect(actOfKey('t', question({ state: 'taken' }))).toBe('release');
  expect(actOfKey('n', question({ state: 'approved', queued: 1 }))).toBe('unqueue');
  expect(actOfKey('3', question())).toBe('dismiss');
  expect(actOfKey('3', question({ state: 'taken' }))).toBeUndefined();
  expect(actOfKey('x', question())).toBeUndefined();
});

test('columns: waiting oldest first; public in the order of the room, the one made by hand first', () => {
  const all = [
    question({ id: 'late', askedAt: '2026-11-23T10:09:00Z' }),
    question({ id: 'early' }),
    question({ id: 'few', state: 'approved', votes: 1 }),
    question({ id: 'many', state: 'approved', votes: 9 }),
    question({ id: 'next', state: 'approved', votes: 0, queued: 1 }),
    question({ id: 'no', state: 'dismissed' }),
  ];
  const { waiting, public: shown, away } = columnsOf(all);
  expect([waiting, shown, away].map((column) => column.map(({ id }) => id))).toEqual([
    ['early', 'late'],
    ['next', 'many', 'few'],
    ['no'],
  ]);
});
