/** Text with nothing to see (zero-width characters, fillers, directions) is refused in words: it would be an empty card on every page. */
import type { z } from 'zod';
import { nameOf } from './issues.js';
import { isVisible } from './plain-text.js';
import { Refusal } from './refusals.js';

/** @param value parsed by the schema: bounded in depth @throws Refusal invalid, with the field's name */
export function refuseInvisible(value: object, schema: z.ZodType, path: readonly string[] = []): void {
  for (const [name, inner] of Object.entries(value)) {
    const here = [...path, name];
    if (typeof inner === 'object' && inner !== null) refuseInvisible(inner, schema, here);
    else if (typeof inner === 'string' && inner !== '' && !isVisible(inner))
      throw new Refusal(
        'invalid',
        `the request is not valid: ${nameOf(schema, here) || 'request'}: has nothing to see`,
      );
  }
}
