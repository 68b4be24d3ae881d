import type { z } from 'zod';
import type { NewEvent } from '#libs/event-log';
import type { Refusal } from '#libs/protocol';
import type { DecisionContext } from '../capability.js';
import { notFound, rule } from '../kernel.js';
import type { ConferenceDocument, RoomDocument } from './documents.js';
import type { conferenceFields, roomFields } from './events.js';

export const STREAM = 'conference';

const self = ({ state }: DecisionContext) => state.document<ConferenceDocument>('schedule', 'conference/self');
const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return true;
  } catch {
    return false;
  }
};

/** Letters and digits that cannot be mistaken for one another when read aloud or from a wall. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
/** From the random id of the command: deciders are pure. */
const codeFrom = (id: string): string =>
  [...id.replaceAll('-', '').slice(0, 24).matchAll(/.{4}/g)]
    .map(([hex]) => ALPHABET[Number.parseInt(hex, 16) % ALPHABET.length])
    .join('');

type Fields = z.output<typeof conferenceFields>;

export function open(data: Fields, context: DecisionContext): readonly NewEvent[] | Refusal {
  if (self(context)) return rule('this conference exists already');
  if (!isTimeZone(data.timeZone)) return rule('this is not an IANA time zone');
  const { conference } = context;
  return [
    {
      type: 'conference-opened',
      subject: conference,
      stream: STREAM,
      data: { ...data, id: conference, joinCode: codeFrom(context.eventId(0)) },
    },
  ];
}

export function amend(data: Fields, context: DecisionContext): readonly NewEvent[] | Refusal {
  if (!self(context)) return notFound('conference');
  if (!isTimeZone(data.timeZone)) return rule('this is not an IANA time zone');
  return [{ type: 'conference-amended', subject: context.conference, stream: STREAM, data }];
}

export function close(_: object, context: DecisionContext): readonly NewEvent[] | Refusal {
  const conference = self(context);
  if (!conference) return notFound('conference');
  if (conference.state === 'closed') return rule('already closed');
  return [{ type: 'conference-closed', subject: context.conference, stream: STREAM, data: {} }];
}

export function reopen(_: object, context: DecisionContext): readonly NewEvent[] | Refusal {
  const conference = self(context);
  if (!conference) return notFound('conference');
  if (conference.state !== 'closed') return rule('it is not closed');
  return [{ type: 'conference-reopened', subject: context.conference, stream: STREAM, data: {} }];
}

type Room = z.output<typeof roomFields>;

/** Rooms that already are as asked for make no event: a repeated import changes nothing. */
export function defineRooms(
  { rooms }: { readonly rooms: readonly Room[] },
  context: DecisionContext,
): readonly NewEvent[] | Refusal {
  if (!self(context)) return notFound('conference');
  return rooms
    .filter((room) => !isAsAsked(room, context))
    .map((room) => ({ type: 'room-defined', subject: room.id, stream: STREAM, data: room }));
}

function isAsAsked(room: Room, { state }: DecisionContext): boolean {
  const known = state.document<RoomDocument>('schedule', `room/${room.id}`);
  return (
    known !== undefined &&
    known.name === room.name &&
    known.order === room.order &&
    known.capacity === room.capacity &&
    known.floor === room.floor
  );
}

export const setFull =
  (full: boolean) =>
  ({ room }: { readonly room: string }, { state }: DecisionContext): readonly NewEvent[] | Refusal => {
    const known = state.document<RoomDocument>('schedule', `room/${room}`);
    if (!known) return notFound('room');
    if (known.full === full) return rule(full ? 'already full' : 'already free');
    return [{ type: full ? 'room-filled-up' : 'room-freed-up', subject: room, stream: STREAM, data: { room } }];
  };
