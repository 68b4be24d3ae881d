/** How access goes on and how it ends: renewal, the list of the staff's tokens, revocation, other keys. */
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { parseBounded, Refusal } from '#libs/protocol';
import { actorId } from '../../conference/access/events.js';
import type { Identity } from '../../conference/capability.js';
import { text } from '../../conference/kernel.js';
import { RateWindows } from '../rate-window.js';
import { identify, mayEnter, verifyRequest } from './identify.js';
import { RENEWALS, RENEWALS_PER_MINUTE, TOKEN_SECONDS } from './lifetimes.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const reason = text(200).optional();
export const revocationBody = z
  .object({
    token: z.uuid().optional().describe('id of one token, from the list'),
    actor: actorId.optional().describe('all tokens and unused links of this actor'),
    reason,
  })
  .refine(({ token, actor }) => (token === undefined) !== (actor === undefined), 'give one of token and actor');
export const rotationBody = z.object({
  revoke: z.boolean().default(false).describe('the older keys verify nothing any more: every token ends'),
});

@Controller('v1')
export class TokensController {
  private readonly renewals = new RateWindows({ points: RENEWALS_PER_MINUTE, perSeconds: 60 });

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  /** Another token for the same person, in place of one that is about to end, or has ended not long ago. */
  @Post('conferences/:conference/tokens/renew')
  @HttpCode(200)
  async renew(
    @Req() request: Request,
    @Param('conference') conference: string,
  ): Promise<{ token: string; actor: string; ticket: string }> {
    const { tokens, feed } = this.ports;
    const longest = Math.max(...Object.values(RENEWALS).map(({ graceSeconds }) => graceSeconds * 1_000));
    const { identity, expiresAt, since } = await verifyRequest(tokens, request, longest);
    const renewal = RENEWALS[identity.role];
    if (!renewal) throw new Refusal('forbidden', 'tokens of this role are not renewed: ask for a new link');
    const ends = since + renewal.withinSeconds * 1_000;
    if (expiresAt + renewal.graceSeconds * 1_000 <= tokens.now() || ends <= tokens.now()) throw new Refusal('expired');
    await mayEnter(feed, identity, conference);
    this.renewals.spend(identity.actor);
    const { actor, role } = identity;
    const token = await tokens.issue(identity, TOKEN_SECONDS[role], { by: actor, since, endsAt: ends });
    return { actor, token, ticket: tokens.ticket(role) };
  }

  @Get('conferences/:conference/tokens')
  async list(@Req() request: Request, @Param('conference') conference: string): Promise<object> {
    await this.organizer(request, conference);
    return this.ports.tokens.list(conference);
  }

  @Post('conferences/:conference/tokens/revoke')
  @HttpCode(200)
  async revoke(
    @Req() request: Request,
    @Param('conference') conference: string,
    @Body() body: unknown,
  ): Promise<{ revoked: string }> {
    const by = await this.organizer(request, conference);
    const { token, actor, reason: because } = parseBounded(revocationBody, body);
    await this.ports.tokens.revoke({ by: by.actor, conference, token, actor, reason: because });
    return { revoked: token ?? actor ?? '' };
  }

  /** Of the whole installation. */
  @Post('conferences/:conference/keys')
  @HttpCode(200)
  async rotate(
    @Req() request: Request,
    @Param('conference') conference: string,
    @Body() body: unknown,
  ): Promise<{ key: string }> {
    const by = await this.organizer(request, conference);
    if (conference !== '*') throw new Refusal('invalid', 'conference: keys are those of all conferences: *');
    const { revoke } = parseBounded(rotationBody, body ?? {});
    return { key: await this.ports.tokens.rotateKeys({ by: by.actor, revokeOld: revoke }) };
  }

  private async organizer(request: Request, conference: string): Promise<Identity> {
    const by = await identify(this.ports, request, conference);
    if (by.role !== 'organizer') throw new Refusal('forbidden', 'this needs the role organizer');
    return by;
  }
}
