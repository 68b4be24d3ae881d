import { z } from 'zod';
import { command } from '../capability.js';
import { thingId } from '../kernel.js';
import { amend, close, defineRooms, open, reopen, setFull } from './decider.js';
import { conferenceFields, roomFields } from './events.js';

const example = { title: 'SREcon Demo', timeZone: 'Europe/Dublin', dayChange: '04:00', languages: ['en'] };
const withDefaults = conferenceFields.extend({
  dayChange: conferenceFields.shape.dayChange.default('04:00'),
  languages: conferenceFields.shape.languages.default(['en']),
});
const room = roomFields.extend({
  order: roomFields.shape.order.default(0),
  capacity: roomFields.shape.capacity.default(null),
  floor: roomFields.shape.floor.default(null),
});
const one = z.object({ room: thingId });

export const commands = [
  command({
    type: 'open-conference',
    summary: 'Open a conference; its id is in the address',
    schema: withDefaults,
    example,
    by: ['organizer'],
    decide: open,
  }),
  command({
    type: 'amend-conference',
    summary: 'Change title, zone, languages',
    schema: withDefaults,
    example,
    by: ['organizer'],
    decide: amend,
  }),
  command({
    type: 'close-conference',
    summary: 'End a conference; it stays readable',
    schema: z.object({}),
    example: {},
    by: ['organizer'],
    decide: close,
    afterClose: true,
  }),
  command({
    type: 'reopen-conference',
    summary: 'Let a closed conference go on',
    schema: z.object({}),
    example: {},
    by: ['organizer'],
    decide: reopen,
    afterClose: true,
  }),
  command({
    type: 'define-rooms',
    summary: 'Define or change up to 100 rooms',
    schema: z.object({ rooms: z.array(room).min(1).max(100) }),
    example: { rooms: [{ id: 'hall-a', name: 'Hall A', order: 1 }] },
    by: ['organizer'],
    decide: defineRooms,
  }),
  command({
    type: 'mark-room-full',
    summary: 'Say that a room is full',
    schema: one,
    example: { room: 'hall-a' },
    by: ['organizer', 'moderator'],
    decide: setFull(true),
  }),
  command({
    type: 'mark-room-free',
    summary: 'Say that a room has places again',
    schema: one,
    example: { room: 'hall-a' },
    by: ['organizer', 'moderator'],
    decide: setFull(false),
  }),
];
