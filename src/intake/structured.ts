import { CloudEvent } from 'cloudevents';
import { Refusal } from '#libs/protocol';
import type { ForeignEvent } from './intake.js';

/**
 * A CloudEvent 1.0 in structured mode, checked by the SDK's own validation. Not by its bindings: the one for Kafka throws on an event
 * without `time`, and both invent an id where there is none, which would act anew each time it is sent.
 * @throws Refusal malformed; SyntaxError, ValidationError of the SDK
 */
export function readStructured(text: string): ForeignEvent {
  const raw: unknown = JSON.parse(text);
  if (Array.isArray(raw)) throw new Refusal('malformed', 'send one CloudEvent at a time');
  if (typeof raw !== 'object' || raw === null) throw new Refusal('malformed');
  const { id, specversion } = raw as { readonly id?: unknown; readonly specversion?: unknown };
  if (typeof id !== 'string' || id === '' || specversion !== '1.0')
    throw new Refusal('malformed', 'a CloudEvent 1.0 has an id, a source and a type');
  return new CloudEvent(raw as { source: string; type: string }, true) as unknown as ForeignEvent;
}
