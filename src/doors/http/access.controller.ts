/** How people and screens come in: join codes, tokens, one-time links. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { parseBounded, Refusal } from '#libs/protocol';
import { actorId, moderatorName, sessionsGranted } from '../../conference/access/events.js';
import type { Identity, Role } from '../../conference/capability.js';
import type { JoinCodeDocument } from '../../conference/conferences/documents.js';
import { text } from '../../conference/kernel.js';
import { withFeed } from '../open-feed.js';
import { RateWindows } from '../rate-window.js';
import type { LinkOptions } from '../tokens/links.js';
import { identify, mayEnter, verifyRequest } from './identify.js';
import { LINK_SECONDS, LINKS_PER_MINUTE, MINTS_PER_MINUTE, TOKEN_SECONDS } from './lifetimes.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

/** As they are made here, for everybody who comes in. */
const PERSON = /^[a-z]-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Who may go on with a link on another device. */
const MOVABLE: ReadonlySet<Role> = new Set(['organizer', 'moderator', 'operator']);
const MANY = 'many people join at once';

const joinBody = z.object({ code: z.string().trim().min(1).max(40) });
export const tokenBody = z.object({
  role: z.enum(['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer']),
  link: z.boolean().default(false),
  sessions: sessionsGranted.default('all'),
  actor: actorId.optional().describe('producer: the source it speaks for; the ids of people are made here'),
  label: text(60).optional().describe('what it is for, by which it is found in the list of tokens'),
  name: moderatorName.nullable().default(null),
});

@Controller('v1')
export class AccessController {
  private readonly budget: RateWindows;
  private readonly guesses = new RateWindows({ points: 600, perSeconds: 60 });
  private readonly moves = new RateWindows({ points: LINKS_PER_MINUTE, perSeconds: 60 });
  private readonly mints = new RateWindows({ points: MINTS_PER_MINUTE, perSeconds: 60 });

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {
    this.budget = new RateWindows({ points: ports.joinBudget, perSeconds: 60 });
  }

  /** An anonymous attendee token for whoever knows the code; no SQL, no event. */
  @Post('conferences/:conference/join')
  @HttpCode(200)
  async join(
    @Param('conference') conference: string,
    @Body() body: unknown,
  ): Promise<{ token: string; actor: string; ticket: string }> {
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
    return {
      actor,
      token: await this.ports.tokens.issue({ actor, role: 'attendee', conference }, TOKEN_SECONDS.attendee),
      ticket: this.ports.tokens.ticket('attendee'),
    };
  }

  @Post('conferences/:conference/tokens')
  @HttpCode(200)
  async mint(@Req() request: Request, @Param('conference') conference: string, @Body() body: unknown): Promise<object> {
    const by = await identify(this.ports, request, conference);
    const { role, link, sessions, name, label, actor: source } = parseBounded(tokenBody, body);
    mayMint(by, role, conference);
    this.mints.spend(by.actor, 'many tokens at once');
    const actor = await this.newActor(role, conference, source);
    if (conference !== '*') await withFeed(this.ports.feed, conference, () => undefined);
    if (role === 'moderator') await this.grant(by, conference, { moderator: actor, sessions, name });
    const identity: Identity = { actor, role, conference };
    if (link) return { actor, url: await this.linkFor(identity, { by: by.actor }) };
    const options = { by: by.actor, label };
    const token = await this.ports.tokens.issue(identity, TOKEN_SECONDS[role], options);
    return { actor, token, ticket: this.ports.tokens.ticket(role) };
  }

  /**
   * The ids of people are made here, so that no token is one of somebody else: it would read what is theirs alone and act in their name.
   * A producer is no person; its source is its name.
   * @throws Refusal invalid, forbidden
   */
  private async newActor(role: Role, conference: string, source: string | undefined): Promise<string> {
    if (source === undefined) return `${role.slice(0, 1)}-${randomUUID()}`;
    if (role !== 'producer')
      throw new Refusal(
        'invalid',
        'actor: the service makes the ids of people; for another device the person makes a link',
      );
    const isGranted =
      conference !== '*' &&
      (await withFeed(this.ports.feed, conference, (feed) => feed.document('_access', `moderator/${source}`)));
    if (PERSON.test(source) || isGranted || (await this.ports.tokens.isKnownPerson(source)))
      throw new Refusal('forbidden', 'actor: this is the id of a person');
    return source;
  }

  /** A one-time link by which a member of the staff goes on, as the same person, on another device. */
  @Post('conferences/:conference/links')
  @HttpCode(200)
  async moveOn(@Req() request: Request, @Param('conference') conference: string): Promise<object> {
    const { identity: by, expiresAt } = await verifyRequest(this.ports.tokens, request);
    await mayEnter(this.ports.feed, by, conference);
    if (!MOVABLE.has(by.role)) throw new Refusal('forbidden', 'attendees join again with the code');
    this.moves.spend(by.actor, 'many links at once');
    // The other device's token ends with this one: links are no way to go on without end.
    return { actor: by.actor, url: await this.linkFor(by, { by: by.actor, tokenEndsAt: expiresAt }) };
  }

  @Post('links/:code')
  @HttpCode(200)
  async redeem(@Param('code') code: string): Promise<object> {
    if (code.length > 100) throw new Refusal('unknown-code');
    const {
      identity,
      by,
      tokenEndsAt: endsAt,
    } = await this.ports.tokens.redeem(code, (person) => mayEnter(this.ports.feed, person, person.conference));
    const token = await this.ports.tokens.issue(identity, TOKEN_SECONDS[identity.role], { by, endsAt });
    return { ...identity, token, ticket: this.ports.tokens.ticket(identity.role) };
  }

  private async linkFor(identity: Identity, options: LinkOptions): Promise<string> {
    return `${this.ports.publicUrl}/#link=${await this.ports.tokens.createLink(identity, LINK_SECONDS, options)}`;
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
