/** I11: every failure over HTTP is a numbered problem (RFC 9457); what is unknown says "internal" and nothing more. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from '#libs/postgres';
import { Refusal, type RefusalName } from '#libs/protocol';

/** Refusals of the framework; all others of 4xx are 'malformed'. */
const BY_STATUS: Readonly<Record<number, RefusalName>> = {
  404: 'not-found',
  405: 'not-found',
  413: 'too-large',
};

const nameOf = (status: number): RefusalName | undefined =>
  BY_STATUS[status] ?? (status >= 400 && status < 500 ? 'malformed' : undefined);

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const refusal = this.toRefusal(error, http.getRequest<Request>());
    const response = http.getResponse<Response>();
    if (response.headersSent) return void response.end();
    sendProblem(response, refusal);
  }

  private toRefusal(error: unknown, request: Request): Refusal {
    if (error instanceof Refusal) return error;
    const status = error instanceof HttpException ? error.getStatus() : (error as { status?: number } | null)?.status;
    const name = status === undefined ? undefined : nameOf(status);
    if (name) return new Refusal(name, status === 404 ? 'there is nothing at this address' : undefined);
    this.logger.error({ err: error, method: request.method, route: request.route?.path }, 'a request failed');
    return new Refusal('internal');
  }
}

export function sendProblem(response: Response, refusal: Refusal): void {
  if (refusal.retryAfter !== undefined) response.setHeader('retry-after', Math.ceil(refusal.retryAfter / 1_000));
  response.status(refusal.httpStatus).type('application/problem+json');
  response.send(JSON.stringify(problemOf(refusal)));
}

/** @param status where HTTP has one that says more than the table's */
export function problemOf(refusal: Refusal, status = refusal.httpStatus): object {
  const { code, message, retryAfter } = refusal.body();
  return {
    type: `/docs#refusal-${code}`,
    title: refusal.refusal,
    status,
    code,
    detail: message,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
