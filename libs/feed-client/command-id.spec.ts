import { describe, expect, it } from '@jest/globals';
import { newCommandId } from './command-id.js';

describe('command ids', () => {
  it('case V1: are UUIDs of version 4, and 10,000 of them differ', () => {
    const ids = Array.from({ length: 10_000 }, newCommandId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
