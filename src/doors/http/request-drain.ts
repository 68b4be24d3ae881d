/** How requests and their connections end before a stop: what is under way is answered, and no connection that is kept alive keeps the process. */
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import { sendProblem } from './problem.js';

/** Milliseconds in which requests that are under way may be answered; those that are not are refused with a number (107). */
const ANSWER_WITHIN_MS = defineLimit({
  name: 'stop.answer.time',
  value: 1_000,
  unit: 'ms',
  beyond: 'a request that is still under way is refused with 107',
});
/** Milliseconds in which a client takes its last answer, or a socket its goodbye. */
const FLUSH_WITHIN_MS = 250;

export interface RequestDrain {
  /** First of all handlers. */
  readonly handle: (request: Request, response: Response, next: () => void) => void;
  /** From now on each answer is the last one of its connection. */
  begin(): void;
  /** Takes no connection and no request any more, answers or refuses what is under way, then closes what is left. */
  end(server: Server): Promise<void>;
}

export function createRequestDrain(answerWithinMs = ANSWER_WITHIN_MS): RequestDrain {
  const underWay = new Set<Response>();
  let state: 'open' | 'draining' | 'closed' = 'open';
  let answered: () => void = () => undefined;

  const refuse = (response: Response) => sendProblem(response, new Refusal('draining', undefined, 1_000));
  const allAnswered = (withinMs: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      answered = () => {
        if (underWay.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      answered();
    });

  return {
    handle(_request, response, next) {
      underWay.add(response);
      response.once('close', () => {
        underWay.delete(response);
        answered();
      });
      // Node closes the connection after this answer; a client that keeps connections alive opens its next one elsewhere.
      if (state !== 'open') response.setHeader('connection', 'close');
      if (state === 'closed') refuse(response);
      else next();
    },
    begin() {
      if (state === 'open') state = 'draining';
      for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close');
    },
    async end(server) {
      this.begin();
      state = 'closed';
      const closed = new Promise((resolve) => server.close(resolve));
      await allAnswered(answerWithinMs);
      for (const response of underWay) if (!response.headersSent) refuse(response);
      await allAnswered(FLUSH_WITHIN_MS);
      // A streamed answer that goes on, a request that was never finished, a connection on which none was begun.
      server.closeAllConnections();
      // Sockets say goodbye meanwhile; one whose client does not answer is for the caller to destroy.
      await Promise.race([closed, delay(FLUSH_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}
