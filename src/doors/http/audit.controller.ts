/** The audit, for organizers: pages of it, and the whole of it as a file. */
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { stringify } from 'csv-stringify';
import type { Request, Response } from 'express';
import { parseBounded, Refusal } from '#libs/protocol';
import { openFeed } from '../open-feed.js';
import { type AuditEntry, auditQuery, readAudit, readWholeAudit } from './audit.js';
import { identify } from './identify.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const COLUMNS = [
  'at',
  'type',
  'subject',
  'actor',
  'role',
  'reason',
  'noEffect',
  'before',
  'after',
  'trace',
  'position',
];

@Controller('v1/conferences')
export class AuditController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get(':conference/audit')
  async page(
    @Req() request: Request,
    @Param('conference') conference: string,
    @Query() query: unknown,
  ): Promise<{ entries: readonly AuditEntry[]; before: number | null }> {
    await this.allowed(request, conference);
    const { before = null, limit, subject = null, actor = null } = parseBounded(auditQuery, query);
    const entries = await this.ports.readLive((db, schema) =>
      readAudit(db, schema, { conference, before, subject, actor, limit }),
    );
    return { entries, before: entries.length < limit ? null : (entries.at(-1)?.position ?? null) };
  }

  @Get(':conference/audit.csv')
  async csv(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
  ): Promise<void> {
    await this.allowed(request, conference);
    // Spreadsheets run what begins with = or @: nobody's reason may become a formula.
    const table = stringify({ header: true, columns: COLUMNS, escape_formulas: true });
    response.attachment(`${conference}-audit.csv`).type('text/csv');
    await this.stream(response, conference, async (entries) => pipeline(entries, table, response));
  }

  @Get(':conference/audit.json')
  async json(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
  ): Promise<void> {
    await this.allowed(request, conference);
    response.attachment(`${conference}-audit.json`).type('application/x-ndjson');
    await this.stream(response, conference, async (entries) => pipeline(entries, lines, response));
  }

  private async stream(
    response: Response,
    conference: string,
    write: (entries: AsyncGenerator<AuditEntry>) => Promise<void>,
  ): Promise<void> {
    try {
      await write(readWholeAudit(this.ports.readLive, conference));
    } catch (err) {
      // Half a file has gone out, or the reader has: a broken connection says more than a false end.
      this.ports.logger.warn({ err }, 'an export of the audit broke off');
      response.destroy();
    }
  }

  private async allowed(request: Request, conference: string): Promise<void> {
    const { role } = await identify(this.ports.tokens, request, conference);
    if (role !== 'organizer') throw new Refusal('forbidden', 'this needs the role organizer');
    (await openFeed(this.ports.feed, conference)).release();
  }
}

async function* lines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}
