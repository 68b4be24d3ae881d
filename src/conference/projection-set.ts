/** What the projector must know of the conference domain. */
import type { ProjectionSet } from '#libs/projector';
import { capabilities } from './capabilities.js';

/** A stream's "held since" stands where the people it concerns look. */
export function heldChannels(stream: string): readonly string[] {
  if (stream.startsWith('session/')) return ['schedule', `${stream}/questions`, `${stream}/desk`];
  return stream === 'access' ? ['_access'] : ['schedule'];
}

export function projectionSet(version: string): ProjectionSet {
  const events = capabilities.flatMap((capability) => capability.events);
  return {
    version,
    projections: capabilities.flatMap((capability) => capability.projections),
    audited: new Set(events.filter(({ audited }) => audited).map(({ type }) => type)),
    erasure: 'attendee-erased',
    skip: 'event-skipped',
    heldChannels,
  };
}
