/** The last ticket of this browser, per conference and class: with it a page comes in past those who have none. */
import type { FeedClientOptions, TicketStore } from '#libs/feed-client';
import { load, save } from './browser/local-store.js';

type ClientClass = FeedClientOptions['class'];

const nameOf = (conference: string, cls: ClientClass): string => `ticket.${conference}.${cls}`;

export function ticketsOf(conference: string, cls: ClientClass): TicketStore {
  return {
    load: () => load(nameOf(conference, cls)),
    save: (ticket) => void save(nameOf(conference, cls), ticket),
  };
}

/** What came beside a token. */
export function keepTicket(conference: string, role: string, ticket: string | undefined): void {
  if (!ticket) return;
  const cls = role === 'attendee' ? 'phone' : role === 'screen' ? 'screen' : 'desk';
  save(nameOf(conference, cls), ticket);
}
