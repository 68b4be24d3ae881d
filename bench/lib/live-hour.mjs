// The log of a conference's busy hour: of twenty events thirteen votes, five questions, two approvals, over 20 sessions, each by another person.
import { randomUUID } from 'node:crypto';
import { commandIdOf, createJournal, createMemoryKeys, createMemoryLog, eventIdOf } from '../../dist/libs/event-log/index.js';
import { catalog } from '../../dist/src/conference/catalog.js';

const SESSIONS = 20;
const ASKED_BEFORE = 400;
const session = (index) => `s${index % SESSIONS}`;

/** What people send in that hour: actor, id, type, session, subject, data. */
export function* commands(conference, count) {
  const asked = [];
  const ask = (index) => {
    const id = randomUUID();
    const actor = `asker-${index}`;
    asked.push({ subject: eventIdOf(commandIdOf(conference, actor, id), 0), session: session(index) });
    return { actor, id, type: 'question-asked', session: session(index), data: { text: `How do you roll back a model, and who decides that it is time? (${index})`, name: null } };
  };
  for (let index = 0; index < SESSIONS; index++) yield { actor: 'olga', id: randomUUID(), type: 'questions-opened', session: session(index), subject: session(index), data: { mode: 'pre-moderated' } };
  for (let index = 0; index < ASKED_BEFORE; index++) yield ask(index);
  let approved = 0;
  const approve = () => {
    const { subject, session: of } = asked[approved++];
    return { actor: 'mona', id: randomUUID(), type: 'question-approved', session: of, subject, data: { question: subject } };
  };
  for (let index = 0; index < ASKED_BEFORE / 2; index++) yield approve();
  for (let index = 0; index < count; index++) {
    const turn = index % 20;
    if (turn === 3 || turn === 13) yield approve();
    else if (turn % 4 === 0) yield ask(ASKED_BEFORE + index);
    else {
      const { subject, session: of } = asked[(index * 7) % approved];
      yield { actor: `voter-${index}`, id: randomUUID(), type: 'question-upvoted', session: of, subject, data: { question: subject } };
    }
  }
}

/** How many events lie before the busy ones. */
export const BEFORE = SESSIONS + ASKED_BEFORE + ASKED_BEFORE / 2;

/** @returns where its event is. @param traceparent as a door would set it */
export const send = (journal, conference, { actor, id, type, session: of, subject, data }, traceparent) =>
  journal.append({
    conference,
    commandId: commandIdOf(conference, actor, id),
    source: 'bench',
    actor,
    actorRole: 'attendee',
    ...(traceparent ? { traceparent } : {}),
    events: [{ type, stream: `session/${of}`, data: { session: of, ...data }, ...(subject ? { subject } : {}) }],
  });

/** @returns journal and log with BEFORE + count events of one conference in one partition */
export async function liveHour(count, { log = createMemoryLog({ partitions: 1 }), keys = createMemoryKeys(), conference = 'bench' } = {}) {
  const journal = createJournal({ log, catalog, keys });
  for (const command of commands(conference, count)) await send(journal, conference, command);
  return { log, journal };
}
