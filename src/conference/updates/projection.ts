import type { JsonObject, LoggedEvent } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { type EventHandler, type Projection, type Row, type RowOf, tableOf, untyped } from '#libs/projector';
import type { UpdateDocument } from './documents.js';
import { UpdateRow } from './entities.js';

const updates = tableOf(UpdateRow);
type Update = RowOf<UpdateRow>;

/** Older ones are history: the audit has them. */
const WINDOW = defineLimit({
  name: 'updates.shown',
  value: 200,
  unit: 'documents',
  beyond: 'the oldest leaves the channel; older pages have it',
});

const onUpdate = (change: (row: Update, event: LoggedEvent) => Partial<Update> | string): EventHandler => ({
  reads: ({ subject }) => [{ table: untyped(updates), where: { id: subject } }],
  fold: (event, rows) => {
    const row = rows.get(updates, { id: event.subject });
    if (!row) return { noEffect: 'there is no such update' };
    if (row.state === 'retracted') return { noEffect: 'it is retracted' };
    const changed = change(row, event);
    return typeof changed === 'string'
      ? { noEffect: changed }
      : [{ table: untyped(updates), put: { ...row, ...changed } }];
  },
});

const fieldsOf = ({ data: { texts = {}, audience = {}, expiresAt = null, url = null, sponsor = null } }: LoggedEvent) =>
  ({ texts, audience, expiresAt, url, sponsor }) as unknown as Pick<
    Update,
    'texts' | 'audience' | 'expiresAt' | 'url' | 'sponsor'
  >;

export const projection: Projection = {
  name: 'updates',
  tables: [untyped(updates)],
  on: {
    'update-posted': {
      reads: ({ subject }) => [{ table: untyped(updates), where: { id: subject } }],
      fold: (event, rows) => {
        if (rows.get(updates, { id: event.subject })) return { noEffect: 'this update exists already' };
        const { subject, time, data } = event;
        const fresh = { id: subject, state: 'posted', postedAt: time, changedAt: null, confirmedAt: time };
        const put = { ...fieldsOf(event), ...fresh, severity: data.severity ?? 'info', drill: data.drill === true };
        return [{ table: untyped(updates), put: put as Row }];
      },
    },
    'update-amended': onUpdate((_, event) => ({
      ...fieldsOf(event),
      state: 'amended',
      changedAt: event.time,
      confirmedAt: event.time,
    })),
    'update-renewed': onUpdate((row, { time }) =>
      row.severity === 'emergency' ? { confirmedAt: time } : 'only an emergency is renewed',
    ),
    'update-retracted': onUpdate((_, { time }) => ({ state: 'retracted', texts: {}, changedAt: time })),
  },
  documents: [
    {
      kind: 'update',
      shows: [
        {
          table: untyped(updates),
          refs: (row) => [
            {
              channel: (row as unknown as Update).audience.to === 'crew' ? 'crew' : 'updates',
              key: `update/${String(row.id)}`,
            },
          ],
        },
      ],
      reads: ({ key }) => [{ table: untyped(updates), where: { id: key.slice('update/'.length) } }],
      render: ({ key }, rows) => {
        const row = rows.get(updates, { id: key.slice('update/'.length) });
        return row ? ({ ...row } satisfies UpdateDocument as unknown as JsonObject) : null;
      },
      window: WINDOW,
    },
  ],
};
