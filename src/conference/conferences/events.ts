import { z } from 'zod';
import { event } from '../capability.js';
import { line, slug, thingId } from '../kernel.js';

const conferenceFields = z.object({
  title: line(200),
  timeZone: z.string().min(1).max(64).describe('IANA time zone, the reference for all times'),
  dayChange: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .describe('HH:MM at which a conference day ends'),
  languages: z
    .array(z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/))
    .min(1)
    .max(8),
});
export const roomFields = z.object({
  id: thingId,
  name: line(100),
  order: z.int().min(0).max(10_000),
  capacity: z.int().min(0).max(1_000_000).nullable(),
  floor: line(50).nullable(),
});
const room = z.object({ room: thingId });

const example = { title: 'SREcon Demo', timeZone: 'Europe/Dublin', dayChange: '04:00', languages: ['en'] };

export const events = [
  event({
    type: 'conference-opened',
    version: 1,
    summary: 'A conference exists',
    schema: conferenceFields.extend({ id: slug, joinCode: z.string().min(4).max(20) }),
    example: { ...example, id: 'srecon-demo', joinCode: 'KX7P3M' },
    inverse: 'conference-closed',
    audited: true,
  }),
  event({
    type: 'conference-amended',
    version: 1,
    summary: 'Title, zone or languages were changed',
    schema: conferenceFields,
    example,
    inverse: 'conference-amended',
    audited: true,
  }),
  event({
    type: 'conference-closed',
    version: 1,
    summary: 'The conference is over',
    schema: z.object({}),
    example: {},
    inverse: 'conference-reopened',
    audited: true,
  }),
  event({
    type: 'conference-reopened',
    version: 1,
    summary: 'The conference goes on after all',
    schema: z.object({}),
    example: {},
    inverse: 'conference-closed',
    audited: true,
  }),
  event({
    type: 'room-defined',
    version: 1,
    summary: 'A room exists or was changed',
    schema: roomFields,
    example: { id: 'hall-a', name: 'Hall A', order: 1, capacity: 300, floor: null },
    inverse: 'room-defined',
    audited: true,
  }),
  event({
    type: 'room-filled-up',
    version: 1,
    summary: 'A room is full',
    schema: room,
    example: { room: 'hall-a' },
    takenAs: 'mark-room-full',
    inverse: 'room-freed-up',
    audited: true,
  }),
  event({
    type: 'room-freed-up',
    version: 1,
    summary: 'A room has places again',
    schema: room,
    example: { room: 'hall-a' },
    takenAs: 'mark-room-free',
    inverse: 'room-filled-up',
    audited: true,
  }),
];
export { conferenceFields };
