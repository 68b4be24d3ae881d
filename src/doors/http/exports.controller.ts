/** The schedule in the formats that others read. For whoever may follow channel `schedule`; made once per change of it. */

import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { type ConferenceFeed, contentTag } from '#libs/feed';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import { mayFollow } from '../../conference/access.js';
import type { ConferenceDocument, RoomDocument } from '../../conference/conferences/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { stateOf } from '../../conference/state.js';
import { type Published, publish } from '../../schedule/published.js';
import { writeIcs } from '../../schedule/write-ics.js';
import { writeJson } from '../../schedule/write-json.js';
import { writeXml } from '../../schedule/write-xml.js';
import { openFeed } from '../open-feed.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const CACHE_BYTES = defineLimit({
  name: 'http.exports.cache',
  value: 32 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the least recently used export is rendered again',
});

interface Format {
  readonly type: string;
  readonly write: (schedule: Published, now: Date) => string;
}

const FORMATS = {
  'schedule.xml': { type: 'application/xml', write: writeXml },
  'schedule.json': { type: 'application/json', write: writeJson },
  'schedule.ics': { type: 'text/calendar; charset=utf-8', write: writeIcs },
} satisfies Record<string, Format>;

@Controller('v1/conferences')
export class ExportsController {
  private readonly made = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ length }) => length + 1,
  });

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get(':conference/schedule.xml')
  xml(@Req() request: Request, @Res() response: Response, @Param('conference') id: string): Promise<void> {
    return this.send(request, response, id, 'schedule.xml');
  }

  @Get(':conference/schedule.json')
  json(@Req() request: Request, @Res() response: Response, @Param('conference') id: string): Promise<void> {
    return this.send(request, response, id, 'schedule.json');
  }

  @Get(':conference/schedule.ics')
  ics(@Req() request: Request, @Res() response: Response, @Param('conference') id: string): Promise<void> {
    return this.send(request, response, id, 'schedule.ics');
  }

  private async send(request: Request, response: Response, id: string, name: keyof typeof FORMATS): Promise<void> {
    const identity = await identify(this.ports, request, id);
    const { feed, release } = await openFeed(this.ports.feed, id);
    try {
      const allowed = mayFollow(identity, 'schedule', stateOf(feed));
      if (allowed !== 'ok') throw allowed;
      const version = contentTag(feed, 'schedule');
      response.setHeader('etag', `"${version}"`);
      response.setHeader('cache-control', 'private, no-cache');
      if (request.headers['if-none-match'] === `"${version}"`) return void response.status(304).end();
      const key = `${id} ${version} ${name}`;
      const body = this.made.get(key) ?? this.make(feed, name);
      this.made.set(key, body);
      response.setHeader('content-disposition', `inline; filename="${id}.${name}"`);
      response.type(FORMATS[name].type).send(body);
    } finally {
      release();
    }
  }

  private make(feed: ConferenceFeed, name: keyof typeof FORMATS): Buffer {
    const conference = feed.document('schedule', 'conference/self')?.body as ConferenceDocument | undefined;
    if (!conference) throw new Refusal('unknown-conference');
    const of = <T>(kind: string) =>
      feed
        .documents('schedule')
        .flatMap(({ key, version, body }) => (key.startsWith(`${kind}/`) ? { version, body: body as T } : []));
    const now = new Date();
    const schedule = publish({
      id: feed.conference,
      publicUrl: this.ports.publicUrl,
      version: feed.lastChange('schedule'),
      conference,
      rooms: of<RoomDocument>('room').map(({ body }) => body),
      sessions: of<SessionDocument>('session'),
      now,
    });
    return Buffer.from(FORMATS[name].write(schedule, now));
  }
}
