/** CloudEvents 1.0 of other programs, binary or structured: taken like commands, answered like commands. */
import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { HTTP as CloudEventsHttp } from 'cloudevents';
import type { Request, Response } from 'express';
import { decodeUtf8, Refusal } from '#libs/protocol';
import type { ForeignEvent } from '../../intake/intake.js';
import { readStructured } from '../../intake/structured.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

@Controller('v1/conferences')
export class EventsController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Post(':conference/events')
  async accept(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
  ): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    if (identity.role !== 'producer') throw new Refusal('forbidden', 'this needs the role producer');
    const event = readEvent(request);
    // A token is for one source: nobody speaks for another.
    if (event.source !== identity.actor) throw new Refusal('forbidden', 'this token is for another source');
    const ack = await this.ports.intake.accept(event, conference);
    response.status('outcome' in ack && ack.outcome === 'pending' ? 202 : 200).json(ack);
  }
}

/** @throws Refusal malformed */
function readEvent(request: Request): ForeignEvent {
  if (!Buffer.isBuffer(request.body)) throw new Refusal('malformed', 'send one CloudEvent as the body');
  const { traceparent } = request.headers;
  try {
    const body = decodeUtf8(request.body);
    const event =
      'ce-id' in request.headers
        ? (CloudEventsHttp.toEvent({ headers: request.headers, body }) as unknown as ForeignEvent)
        : readStructured(body);
    const { id, source, type, dataschema, data, actor, traceparent: own } = event;
    return { id, source, type, dataschema, data, actor, traceparent: own ?? traceparent };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // The SDK's errors quote what was sent: said in our own words instead.
    throw new Refusal('malformed', 'this is not a CloudEvent 1.0, binary or structured, with JSON data in UTF-8');
  }
}
