import { ERASED } from '#libs/event-log';
import { type Projection, tableOf, untyped } from '#libs/projector';
import type { ErasedDocument, ModeratorDocument, NamedModeratorDocument } from './documents.js';
import { ErasedPersonRow, ModeratorRow } from './entities.js';

const moderators = tableOf(ModeratorRow);
const erased = tableOf(ErasedPersonRow);
const idIn = (key: string): string => key.slice(key.indexOf('/') + 1);

export const projection: Projection = {
  name: 'access',
  tables: [untyped(moderators), untyped(erased)],
  on: {
    'moderator-granted': {
      reads: ({ subject }) => [{ table: untyped(moderators), where: { moderator: subject } }],
      fold: ({ subject, data }) => {
        const ids = Array.isArray(data.sessions) ? data.sessions.map(String) : [];
        return [
          {
            table: untyped(moderators),
            put: { moderator: subject, sessions: { all: data.sessions === 'all', ids }, name: data.name ?? null },
          },
        ];
      },
    },
    'moderator-revoked': {
      reads: ({ subject }) => [{ table: untyped(moderators), where: { moderator: subject } }],
      fold: ({ subject }, rows) =>
        rows.get(moderators, { moderator: subject })
          ? [{ table: untyped(moderators), remove: { moderator: subject } }]
          : { noEffect: 'this person is not a moderator' },
    },
    'attendee-erased': {
      reads: ({ subject }) => [
        { table: untyped(erased), where: { subject } },
        { table: untyped(moderators), where: { moderator: subject } },
      ],
      fold: ({ subject }, rows) => {
        // Two organizers may erase one person at the same moment: both commands are accepted.
        if (rows.get(erased, { subject })) return { noEffect: 'already erased' };
        const moderator = rows.get(moderators, { moderator: subject });
        return [
          { table: untyped(erased), put: { subject } },
          ...(moderator
            ? [{ table: untyped(moderators), put: { ...moderator, name: moderator.name === null ? null : ERASED } }]
            : []),
        ];
      },
    },
  },
  documents: [
    {
      kind: 'moderator',
      shows: [
        {
          table: untyped(moderators),
          refs: ({ moderator }) =>
            ['_access', 'moderators'].map((channel) => ({ channel, key: `moderator/${String(moderator)}` })),
        },
      ],
      reads: ({ key }) => [{ table: untyped(moderators), where: { moderator: idIn(key) } }],
      render: ({ channel, key }, rows) => {
        const row = rows.get(moderators, { moderator: idIn(key) });
        if (!row) return null;
        const { moderator, name } = row;
        const sessions = row.sessions.all ? 'all' : row.sessions.ids;
        return channel === 'moderators'
          ? ({ moderator, sessions, name } satisfies NamedModeratorDocument)
          : ({ moderator, sessions } satisfies ModeratorDocument);
      },
    },
    {
      kind: 'erased',
      shows: [
        { table: untyped(erased), refs: ({ subject }) => [{ channel: '_access', key: `erased/${String(subject)}` }] },
      ],
      reads: ({ key }) => [{ table: untyped(erased), where: { subject: idIn(key) } }],
      render: ({ key }, rows) =>
        rows.get(erased, { subject: idIn(key) }) ? ({ subject: idIn(key) } satisfies ErasedDocument) : null,
    },
  ],
};
