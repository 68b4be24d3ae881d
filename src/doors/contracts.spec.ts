import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { asyncApi } from './asyncapi.js';
import { openApi } from './http/openapi.js';

interface Message {
  readonly payload: object;
  readonly examples: readonly { readonly payload: unknown }[];
}

const plain = (document: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(document));
const published = (name: string) => readFileSync(`docs/${name}.yaml`, 'utf8');

describe('the published contracts', () => {
  it('are what the schemas say (npm run contracts writes them anew)', () => {
    expect(parse(published('openapi'))).toEqual(plain(openApi('http://127.0.0.1:3000')));
    expect(parse(published('asyncapi'))).toEqual(plain(asyncApi()));
  });

  it('docs/openapi.yaml is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(parse(published('openapi')));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('docs/asyncapi.yaml is valid AsyncAPI 3', async () => {
    const diagnostics = await new Parser().validate(published('asyncapi'));
    const bad = diagnostics.filter(({ severity }) => severity === 0);
    expect(bad.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
  }, 60_000);

  it('every example in it holds to its schema', () => {
    const { messages } = plain(asyncApi()).components as { messages: Record<string, Message> };
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const [name, { payload, examples }] of Object.entries(messages))
      for (const example of examples) {
        const holds = ajv.validate(payload, example.payload);
        expect([name, holds, ajv.errorsText()]).toEqual([name, true, 'No errors']);
      }
    expect(Object.keys(messages).length).toBeGreaterThan(50);
  });
});
