/** Commands, their outcomes, and the channels, over plain HTTP: the same doors as on sockets. */
import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type ConferenceFeed, contentTag } from '#libs/feed';
import { type CommandAck, channelName, Refusal } from '#libs/protocol';
import { mayFollow } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import { openFeed } from '../open-feed.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';
import { sendProblem } from './problem.js';

const WAIT_MS = 2_000;

@Controller('v1/conferences')
export class ConferencesController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get()
  async list(): Promise<{ conferences: readonly { id: string; title: string }[] }> {
    return { conferences: await this.ports.listConferences() };
  }

  @Post(':conference/commands')
  async command(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
    @Body() body: unknown,
  ): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    answer(response, await this.ports.commands.handle(identity, conference, body));
  }

  @Get(':conference/commands/:id')
  async outcome(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
    @Param('id') id: string,
  ): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    answer(response, await this.ports.commands.outcome(identity, conference, id));
  }

  @Get(':conference/channels/*channel')
  async channel(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
    @Param('channel') path: string | string[],
    @Query('position') position?: string,
  ): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    const name = channelName.safeParse(Array.isArray(path) ? path.join('/') : path);
    if (!name.success) throw new Refusal('unknown-channel');
    if (position !== undefined && !/^\d{1,15}$/.test(position)) throw new Refusal('invalid', 'position: a number');
    const { feed, release } = await openFeed(this.ports.feed, conference);
    try {
      const allowed = mayFollow(identity, name.data, stateOf(feed));
      if (allowed !== 'ok') throw allowed;
      const stale = position !== undefined && !(await feed.reached(Number(position), WAIT_MS));
      sendSnapshot({ request, response, feed, channel: name.data, stale });
    } finally {
      release();
    }
  }
}

interface Snapshot {
  readonly request: Request;
  readonly response: Response;
  readonly feed: ConferenceFeed;
  readonly channel: string;
  readonly stale: boolean;
}

function sendSnapshot({ request, response, feed, channel, stale }: Snapshot): void {
  const etag = `"${contentTag(feed, channel)}"`;
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'private, no-cache');
  if (!stale && request.headers['if-none-match'] === etag) return void response.status(304).end();
  const resumed = feed.resume(channel, null);
  if (!('frame' in resumed)) throw new Refusal('behind');
  const { json } = resumed.frame;
  response.type('application/json').send(stale ? `${json.slice(0, -1)},"stale":true}` : json);
}

function answer(response: Response, ack: CommandAck): void {
  if ('refusal' in ack) sendProblem(response, refusalOf(ack.refusal));
  else response.status(ack.outcome === 'pending' ? 202 : 200).json(ack);
}

const refusalOf = ({ code, message, retryAfter }: { code: number; message: string; retryAfter?: number }): Refusal =>
  Refusal.fromCode(code, message, retryAfter);
