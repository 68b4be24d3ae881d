import type { LoggedEvent } from '#libs/event-log';
import { type EventHandler, type Projection, type Row, type RowOf, tableOf, untyped } from '#libs/projector';
import type { ConferenceDocument, JoinCodeDocument, RoomDocument } from './documents.js';
import { ConferenceRow, RoomRow } from './entities.js';

const conferences = tableOf(ConferenceRow);
const rooms = tableOf(RoomRow);
type Conference = RowOf<ConferenceRow>;
type Room = RowOf<RoomRow>;

const onConference = (change: (event: LoggedEvent, row: Conference | undefined) => Row | string): EventHandler => ({
  reads: () => [{ table: untyped(conferences), where: {} }],
  fold: (event, rows) => {
    const changed = change(event, rows.get(conferences, {}));
    return typeof changed === 'string' ? { noEffect: changed } : [{ table: untyped(conferences), put: changed }];
  },
});

const onRoom = (
  idOf: (event: LoggedEvent) => string,
  change: (event: LoggedEvent, row: Room | undefined) => Row | string,
): EventHandler => ({
  reads: (event) => [{ table: untyped(rooms), where: { id: idOf(event) } }],
  fold: (event, known) => {
    const changed = change(event, known.get(rooms, { id: idOf(event) }));
    return typeof changed === 'string' ? { noEffect: changed } : [{ table: untyped(rooms), put: changed }];
  },
});

const setFull = (full: boolean) =>
  onRoom(
    ({ data }) => String(data.room),
    (_, row) =>
      !row ? 'there is no such room' : row.full === full ? `already ${full ? 'full' : 'free'}` : { ...row, full },
  );

export const projection: Projection = {
  name: 'conferences',
  tables: [untyped(conferences), untyped(rooms)],
  on: {
    'conference-opened': onConference(({ data }, row) =>
      row
        ? 'this conference exists already'
        : {
            title: data.title ?? '',
            timeZone: data.timeZone ?? '',
            dayChange: data.dayChange ?? '',
            languages: data.languages ?? [],
            joinCode: data.joinCode ?? '',
            state: 'open',
          },
    ),
    'conference-amended': onConference(({ data }, row) =>
      row
        ? {
            ...row,
            title: data.title ?? '',
            timeZone: data.timeZone ?? '',
            dayChange: data.dayChange ?? '',
            languages: data.languages ?? [],
          }
        : 'there is no such conference',
    ),
    'conference-closed': onConference((_, row) =>
      !row ? 'there is no such conference' : row.state === 'closed' ? 'already closed' : { ...row, state: 'closed' },
    ),
    'conference-reopened': onConference((_, row) =>
      row?.state === 'closed' ? { ...row, state: 'open' } : 'it is not closed',
    ),
    'room-defined': onRoom(
      ({ subject }) => subject,
      ({ data, subject }, row) => ({
        id: subject,
        name: data.name ?? '',
        order: data.order ?? 0,
        capacity: data.capacity ?? null,
        floor: data.floor ?? null,
        full: row?.full ?? false,
      }),
    ),
    'room-filled-up': setFull(true),
    'room-freed-up': setFull(false),
  },
  documents: [
    {
      kind: 'conference',
      shows: [{ table: untyped(conferences), refs: () => [{ channel: 'schedule', key: 'conference/self' }] }],
      reads: () => [{ table: untyped(conferences), where: {} }],
      render: (_, known) => {
        const row = known.get(conferences, {});
        if (!row) return null;
        const { title, timeZone, dayChange, languages, state } = row;
        return { title, timeZone, dayChange, languages, state } satisfies ConferenceDocument;
      },
    },
    {
      kind: 'join',
      shows: [
        {
          table: untyped(conferences),
          refs: () => ['_access', 'join'].map((channel) => ({ channel, key: 'join/code' })),
        },
      ],
      reads: () => [{ table: untyped(conferences), where: {} }],
      render: (_, known) => {
        const row = known.get(conferences, {});
        return row ? ({ code: row.joinCode } satisfies JoinCodeDocument) : null;
      },
    },
    {
      kind: 'room',
      shows: [{ table: untyped(rooms), refs: (row) => [{ channel: 'schedule', key: `room/${String(row.id)}` }] }],
      reads: ({ key }) => [{ table: untyped(rooms), where: { id: key.slice('room/'.length) } }],
      render: ({ key }, known) => {
        const row = known.get(rooms, { id: key.slice('room/'.length) });
        if (!row) return null;
        const { id, name, order, capacity, floor, full } = row;
        return { id, name, order, capacity, floor, full } satisfies RoomDocument;
      },
    },
  ],
};
