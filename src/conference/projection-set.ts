/** What the projector must know of the conference domain. */
import type { ProjectionSet } from '#libs/projector';
import { capabilities } from './capabilities.js';

const SESSION = 'session/';
const patterns = capabilities.flatMap(({ channels }) => channels.map(({ pattern }) => pattern));
const ofSessions = patterns.filter((pattern) => pattern.startsWith('session/:session/'));
const ownChannels = new Map(
  capabilities.flatMap(({ stream, channels }) =>
    stream
      ? [[stream, channels.map(({ pattern }) => pattern).filter((pattern) => !pattern.includes(':'))] as const]
      : [],
  ),
);

/** A stream's "held since" stands where the people it concerns look. */
export function heldChannels(stream: string): readonly string[] {
  if (stream.startsWith(SESSION))
    return ['schedule', ...ofSessions.map((pattern) => pattern.replace('session/:session', stream))];
  return ownChannels.get(stream) ?? ['schedule'];
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
