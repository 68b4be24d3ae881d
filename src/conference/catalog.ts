/** The log's catalog of event types, from the capabilities' schemas. */

import { z } from 'zod';
import type { EventCatalog, EventType, PersonalField } from '#libs/event-log';
import { capabilities } from './capabilities.js';

export const catalog: EventCatalog = new Map(
  capabilities
    .flatMap(({ events }) => events)
    .map(({ type, version, schema }): [string, EventType] => [
      type,
      { version, personal: [...personalFields(schema)], check: (data) => complaintOf(schema, data) },
    ]),
);

function complaintOf(schema: z.ZodObject, data: unknown): string | undefined {
  const result = schema.safeParse(data);
  if (result.success) return undefined;
  // Paths and rules only: the values may be personal.
  return result.error.issues.map(({ path, code }) => `${path.join('.') || 'data'}: ${code}`).join('; ');
}

function* personalFields(schema: z.ZodObject, prefix = ''): Iterable<PersonalField> {
  for (const [name, field] of Object.entries(schema.shape)) {
    const inner = unwrap(field as z.ZodType);
    const path = prefix + name;
    const mark = inner.meta()?.personal as PersonalField['subject'] | undefined;
    if (mark) yield { path, subject: mark };
    if (inner instanceof z.ZodObject) yield* personalFields(inner, `${path}.`);
  }
}

function unwrap(field: z.ZodType): z.ZodType {
  if (field.meta()?.personal) return field;
  return field instanceof z.ZodNullable || field instanceof z.ZodOptional || field instanceof z.ZodDefault
    ? unwrap(field.unwrap() as z.ZodType)
    : field;
}
