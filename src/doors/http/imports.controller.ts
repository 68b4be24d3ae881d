/** Uploads of schedules. The answer is a stream of JSON lines: progress, then the report or a refusal. */

import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import type { RoomDocument } from '../../conference/conferences/documents.js';
import { slug } from '../../conference/kernel.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { stateOf } from '../../conference/state.js';
import { guidOf, pageOf } from '../../schedule/guids.js';
import { importSchedule, type Known } from '../../schedule/import-schedule.js';
import type { ParsedSchedule } from '../../schedule/parsed-schedule.js';
import { readSchedule } from '../../schedule/read-schedule.js';
import { ScheduleUnreadable } from '../../schedule/reading.js';
import { withFeed } from '../open-feed.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const MAX_ODD = defineLimit({
  name: 'schedule.warnings',
  value: 500,
  unit: 'items',
  beyond: 'further warnings are counted only',
});

@Controller('v1/conferences')
export class ImportsController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Post(':conference/imports')
  async import(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
  ): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    if (identity.role !== 'organizer') throw new Refusal('forbidden', 'this needs the role organizer');
    if (!slug.safeParse(conference).success)
      throw new Refusal('invalid', 'conference: lower case letters, digits and hyphens');
    if (!Buffer.isBuffer(request.body)) throw new Refusal('malformed', 'send a schedule.xml or schedule.json');
    const parsed = parse(request.body);
    const line = (one: object) => response.write(`${JSON.stringify(one)}\n`);
    response.type('application/x-ndjson');
    try {
      const { counts } = await importSchedule(parsed, {
        send: (message) => this.ports.commands.handle(identity, conference, message, 'bulk'),
        known: () => this.known(conference),
        onProgress: line,
      });
      line({ report: { counts, odd: parsed.odd.slice(0, MAX_ODD) } });
    } catch (error) {
      if (!(error instanceof Refusal)) this.ports.logger.error({ err: error }, 'an import failed');
      line({ refusal: (error instanceof Refusal ? error : new Refusal('internal')).body() });
    }
    response.end();
  }

  private async known(conference: string): Promise<Known | null> {
    try {
      return await withFeed(this.ports.feed, conference, (feed) => {
        const state = stateOf(feed);
        const byGuid = <T extends { readonly id: string }>(kind: 'room' | 'session') =>
          new Map(state.documents<T>('schedule', kind).map(({ body }) => [guidOf(conference, kind, body.id), body]));
        return {
          rooms: byGuid<RoomDocument>('room'),
          sessions: byGuid<SessionDocument>('session'),
          pages: pageOf(this.ports.publicUrl, conference, ''),
        };
      });
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'unknown-conference') return null;
      throw error;
    }
  }
}

function parse(body: Buffer): ParsedSchedule {
  try {
    return readSchedule(body);
  } catch (error) {
    if (error instanceof ScheduleUnreadable) throw new Refusal('malformed', error.message);
    throw error;
  }
}
