/** What left the window of a channel, read back page by page. */

import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { defineLimit } from '#libs/limits';
import { type OlderPage, readOlder } from '#libs/projector';
import { channelName, parseBounded, Refusal } from '#libs/protocol';
import { matchChannel, mayFollow } from '../../conference/access.js';
import { capabilities } from '../../conference/capabilities.js';
import { stateOf } from '../../conference/state.js';
import { withFeed } from '../open-feed.js';
import { RateWindows } from '../rate-window.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const MAX_LIMIT = defineLimit({
  name: 'http.older.page',
  value: 100,
  unit: 'entries',
  beyond: 'the rest is on the next page',
});

export const olderQuery = z.object({
  before: z.coerce.number().int().min(0).optional().describe('the `before` of the page after this one'),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(MAX_LIMIT),
});
export const olderPage = z.object({
  documents: z.array(z.object({ key: z.string(), body: z.record(z.string(), z.unknown()) })).describe('newest first'),
  before: z.int().nullable().describe('ask for what is before it; null: there is nothing older'),
});

const projections = capabilities.flatMap((capability) => capability.projections);

@Controller('v1/conferences')
export class OlderController {
  /** Unlike what is followed, this costs the database something. */
  private readonly limiter = new RateWindows({ points: 60, perSeconds: 60 });

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get(':conference/older/*channel')
  async older(
    @Req() request: Request,
    @Param('conference') conference: string,
    @Param('channel') path: string | string[],
    @Query() query: unknown,
  ): Promise<OlderPage> {
    const identity = await identify(this.ports, request, conference);
    const channel = channelName.safeParse(Array.isArray(path) ? path.join('/') : path);
    if (!channel.success) throw new Refusal('unknown-channel');
    const { before = null, limit } = parseBounded(olderQuery, query);
    const allowed = await withFeed(this.ports.feed, conference, (feed) =>
      mayFollow(identity, channel.data, stateOf(feed)),
    );
    if (allowed !== 'ok') throw allowed;
    const match = matchChannel(channel.data);
    const older = match?.spec.older;
    const table = projections.flatMap(({ tables }) => tables).find(({ name }) => name === older?.table);
    if (!match || !older || !table)
      throw new Refusal('invalid', 'this channel has no window: all of it can be followed');
    this.limiter.spend(identity.actor);
    return this.ports.readLive((db, schema) =>
      readOlder({
        db,
        schema,
        conference,
        views: projections.flatMap(({ documents }) => documents.filter(({ kind }) => kind === older.kind)),
        table,
        where: older.where(match.parameters),
        channel: channel.data,
        order: older.order,
        before,
        limit,
      }),
    );
  }
}
