import { describe, expect, it } from '@jest/globals';
import { capabilities } from '../../conference/capabilities.js';
import { docsPage } from './docs-page.js';
import { openApi } from './openapi.js';

interface Schema {
  readonly oneOf?: readonly { readonly $ref: string }[];
  readonly properties?: Readonly<Record<string, { readonly const?: string }>>;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
}

const specs = capabilities.flatMap(({ commands }) => commands);

describe('the OpenAPI document', () => {
  it('has every command with its own schema, who may give it, and an example that is valid', () => {
    const document = JSON.parse(JSON.stringify(openApi('https://hallway.example')));
    const body: Schema =
      document.paths['/v1/conferences/{conference}/commands'].post.requestBody.content['application/json'].schema;
    const schemas: Record<string, Schema> = document.components.schemas;
    const commands = (body.oneOf ?? []).map(({ $ref }) => schemas[$ref.split('/').at(-1) ?? '']);
    expect(commands.map((schema) => schema?.properties?.type?.const).sort()).toEqual(
      specs.map(({ type }) => type).sort(),
    );
    for (const [index, { by, schema, example }] of specs.entries()) {
      expect(commands[index]?.description).toContain(by.join(', '));
      expect(commands[index]?.example ?? commands[index]?.examples).toBeDefined();
      expect(schema.safeParse(example).success).toBe(true);
    }
  });

  it('has the schedule in every format', () => {
    const { paths } = JSON.parse(JSON.stringify(openApi('https://hallway.example')));
    const types = ['xml', 'json', 'ics'].flatMap((name) =>
      Object.keys(paths[`/v1/conferences/{conference}/schedule.${name}`].get.responses[200].content),
    );
    expect(types).toEqual(['application/xml', 'application/json', 'text/calendar']);
  });

  it('has the audit and what left a window, with the shape of a page', () => {
    const { paths, components } = JSON.parse(JSON.stringify(openApi('https://hallway.example')));
    const names = ({ parameters }: { parameters: { name: string }[] }) => parameters.map(({ name }) => name);
    const older = paths['/v1/conferences/{conference}/older/{channel}'].get;
    const audit = paths['/v1/conferences/{conference}/audit'].get;
    expect(older.summary).toContain('session/:session/discussion');
    expect(names(older)).toEqual(['conference', 'channel', 'before', 'limit']);
    expect(names(audit)).toEqual(['conference', 'before', 'limit', 'subject', 'actor']);
    expect(Object.keys(components.schemas.AuditEntry.properties)).toContain('inverse');
    for (const { responses } of [older, audit])
      expect(responses[200].content['application/json'].schema.properties.before).toBeDefined();
  });

  it('shows a page with every command and every refusal', () => {
    const page = docsPage();
    for (const { type } of specs) expect(page).toContain(`<h3 id="${type}">`);
    expect(page).toContain('id="refusal-210"');
    expect(page).not.toContain('<script');
  });
});
