/** How people and screens come in: join codes, tokens, one-time links. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { parseBounded, Refusal } from '#libs/protocol';
import { actorId, moderatorName, sessionsGranted } from '../../conference/access/events.js';
import type { Identity, Role } from '../../conference/capability.js';
import type { JoinCodeDocument } from '../../conference/conferences/documents.js';
import { withFeed } from '../open-feed.js';
import { RateWindows } from '../rate-window.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const DAY = 24 * 3_600;
const SECONDS: Readonly<Record<Role, number>> = {
  organizer: 30 * DAY,
  moderator: 14 * DAY,
  operator: 30 * DAY,
  attendee: 14 * DAY,
  screen: 60 * DAY,
  producer: 365 * DAY,
};
const LINK_SECONDS = 2 * DAY;
const MANY = 'many people join at once';

const joinBody = z.object({ code: z.string().trim().min(1).max(40) });
const tokenBody = z.object({
  role: z.enum(['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer']),
  link: z.boolean().default(false),
  sessions: sessionsGranted.default('all'),
  actor: actorId.optional(),
  name: moderatorName.nullable().default(null),
});

@Controller('v1')
export class AccessController {
  private readonly budget: RateWindows;
  private readonly guesses = new RateWindows({ points: 600, perSeconds: 60 });
  private readonly moves = new RateWindows({ points: 10, perSeconds: 60 });

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {
    this.budget = new RateWindows({ points: ports.joinBudget, perSeconds: 60 });
  }

  /** An anonymous attendee token for whoever knows the code; no SQL, no event. */
  @Post('conferences/:conference/join')
  @HttpCode(200)
  async join(
    @Param('conference') conference: string,
    @Body() body: unknown,
  ): Promise<{ token: string; actor: string }> {
    const { code } = parseBounded(joinBody, body);
    const known = await withFeed(
      this.ports.feed,
      conference,
      (feed) => feed.document('_access', 'join/code')?.body as JoinCodeDocument | undefined,
    );
    if (!known || !sameText(code.toUpperCase(), known.code)) {
      // A budget of its own: whoever guesses must not lock out those who know the code.
      this.guesses.spend(conference, MANY);
      throw new Refusal('unknown-code');
    }
    this.budget.spend(conference, MANY);
    const actor = `a-${randomUUID()}`;
    return { actor, token: await this.ports.tokens.issue({ actor, role: 'attendee', conference }, SECONDS.attendee) };
  }

  @Post('conferences/:conference/tokens')
  @HttpCode(200)
  async mint(@Req() request: Request, @Param('conference') conference: string, @Body() body: unknown): Promise<object> {
    const by = await identify(this.ports.tokens, request, conference);
    const { role, link, sessions, name, actor = `${role.slice(0, 1)}-${randomUUID()}` } = parseBounded(tokenBody, body);
    mayMint(by, role, conference);
    if (conference !== '*') await withFeed(this.ports.feed, conference, () => undefined);
    if (role === 'moderator') await this.grant(by, conference, { moderator: actor, sessions, name });
    const identity: Identity = { actor, role, conference };
    if (link) return { actor, url: await this.linkFor(identity) };
    return { actor, token: await this.ports.tokens.issue(identity, SECONDS[role]) };
  }

  /** A one-time link by which a member of the staff goes on, as the same person, on another device. */
  @Post('conferences/:conference/links')
  @HttpCode(200)
  async moveOn(@Req() request: Request, @Param('conference') conference: string): Promise<object> {
    const by = await identify(this.ports.tokens, request, conference);
    if (by.role !== 'organizer' && by.role !== 'moderator')
      throw new Refusal('forbidden', 'attendees join again with the code');
    this.moves.spend(by.actor, 'many links at once');
    return { actor: by.actor, url: await this.linkFor(by) };
  }

  @Post('links/:code')
  @HttpCode(200)
  async redeem(@Param('code') code: string): Promise<object> {
    if (code.length > 100) throw new Refusal('unknown-code');
    const identity = await this.ports.tokens.redeem(code);
    return { ...identity, token: await this.ports.tokens.issue(identity, SECONDS[identity.role]) };
  }

  private async linkFor(identity: Identity): Promise<string> {
    return `${this.ports.publicUrl}/#link=${await this.ports.tokens.createLink(identity, LINK_SECONDS)}`;
  }

  /** A moderator's token without a grant would open nothing. */
  private async grant(
    by: Identity,
    conference: string,
    data: { moderator: string; sessions: z.output<typeof sessionsGranted>; name: string | null },
  ): Promise<void> {
    const ack = await this.ports.commands.handle(by, conference, {
      id: randomUUID(),
      type: 'grant-moderator',
      data,
    });
    if ('refusal' in ack) throw Refusal.fromCode(ack.refusal.code, ack.refusal.message, ack.refusal.retryAfter);
  }
}

function mayMint(by: Identity, role: Role, conference: string): void {
  if (conference === '*' && role !== 'organizer' && role !== 'operator')
    throw new Refusal('invalid', `role: ${role} needs one conference`);
  if (by.role === 'organizer' || (by.role === 'operator' && role === 'screen')) return;
  throw new Refusal('forbidden', 'this needs the role organizer');
}

/** In constant time; hashed because both must have the same length. */
const sameText = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
