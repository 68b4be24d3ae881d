import { describe, expect, it } from '@jest/globals';
import { configureLimit, defineLimit, limits } from './index.js';

const sockets = { name: 'test.sockets', value: 20, unit: 'sockets', beyond: 'refused with 101' } as const;

describe('the registry of limits', () => {
  it('returns the number, and has each name once', () => {
    expect(defineLimit(sockets)).toBe(20);
    expect(() => defineLimit(sockets)).toThrow('twice');
    expect(limits()).toContainEqual(sockets);
  });

  it('takes a value of the configuration for what can be set, and for nothing else', () => {
    defineLimit({ ...sockets, name: 'test.set', setting: 'HALLWAY_TEST' });
    configureLimit('test.set', 30);
    expect(limits().find(({ name }) => name === 'test.set')?.value).toBe(30);
    expect(() => configureLimit('test.sockets', 30)).toThrow('cannot be set');
  });
});
