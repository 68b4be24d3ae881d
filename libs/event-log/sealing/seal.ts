/** Personal fields ⇄ sealed fields: AES-256-GCM under the subject's key, bound to the event and the path so that no value can be moved. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EventType, Json, JsonObject, PersonalField } from '../envelope.js';
import type { SubjectKey } from './keys.js';

/** What stands where a text stood whose subject was erased. */
export const ERASED = '[erased]';

const IV_BYTES = 12;
const TAG_BYTES = 16;

interface Sealed {
  readonly $sealed: { readonly k: string; readonly c: string };
}

export function sealText(text: string, key: SubjectKey, binding: string): Sealed {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.key, iv).setAAD(Buffer.from(binding));
  const body = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { $sealed: { k: key.id, c: body.toString('base64') } };
}

/** @throws if the key or the binding is not the one it was sealed with */
export function openText(sealed: Sealed, key: Buffer, binding: string): string {
  const body = Buffer.from(sealed.$sealed.c, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES))
    .setAAD(Buffer.from(binding))
    .setAuthTag(body.subarray(body.length - TAG_BYTES));
  return decipher.update(body.subarray(IV_BYTES, body.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
}

export const bindingOf = (eventId: string, path: string): string => `${eventId}\n${path}`;

export function isSealed(value: unknown): value is Sealed {
  const inner = (value as Partial<Sealed> | null)?.$sealed;
  return typeof inner === 'object' && inner !== null && typeof inner.k === 'string' && typeof inner.c === 'string';
}

/** Whose key seals this field, or undefined if the data does not say. */
export function subjectOf(field: PersonalField, actor: string, data: JsonObject): string | undefined {
  if (field.subject === 'actor') return actor;
  const subject = at(data, field.subject.path);
  return typeof subject === 'string' ? subject : undefined;
}

export function at(data: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, name) => (isObject(value) ? value[name] : undefined), data);
}

/** A copy with the value at `path` replaced; the path must exist. */
export function withAt(data: JsonObject, path: string, value: Json): JsonObject {
  const [name = '', ...rest] = path.split('.');
  const inner = data[name];
  return { ...data, [name]: rest.length === 0 || !isObject(inner) ? value : withAt(inner, rest.join('.'), value) };
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same event with every field of one subject blanked: for subjects that were erased earlier in log order. */
export function eraseFields<E extends { readonly actor: string; readonly data: JsonObject }>(
  event: E,
  subject: string,
  type: Pick<EventType, 'personal'>,
): E {
  const fields = type.personal.filter(
    (field) => at(event.data, field.path) !== undefined && subjectOf(field, event.actor, event.data) === subject,
  );
  return fields.length === 0
    ? event
    : { ...event, data: fields.reduce((data, field) => withAt(data, field.path, ERASED), event.data) };
}

/** Everybody whose personal fields are in this event. */
export function subjectsOf(
  event: { readonly actor: string; readonly data: JsonObject },
  type: Pick<EventType, 'personal'>,
): readonly string[] {
  const subjects = new Set<string>();
  for (const field of type.personal) {
    const subject = at(event.data, field.path) === undefined ? undefined : subjectOf(field, event.actor, event.data);
    if (subject) subjects.add(subject);
  }
  return [...subjects];
}
