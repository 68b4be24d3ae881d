/** The audit, for organizers: pages of it, and the whole of it as a file. */
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { stringify } from 'csv-stringify';
import type { Request, Response } from 'express';
import { parseBounded, Refusal } from '#libs/protocol';
import { mayConnect } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import { withFeed } from '../open-feed.js';
import { type AuditEntry, type AuditPage, auditQuery, readAudit, readWholeAudit } from './audit.js';
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
  'inverse',
  'position',
];

interface ExportFormat {
  readonly extension: string;
  readonly type: string;
  readonly through: () => NodeJS.ReadWriteStream | typeof lines;
}

// Spreadsheets run what begins with = or @: nobody's reason may become a formula.
const table = () => stringify({ header: true, columns: COLUMNS, escape_formulas: true });

@Controller('v1/conferences')
export class AuditController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get(':conference/audit')
  async page(
    @Req() request: Request,
    @Param('conference') conference: string,
    @Query() query: unknown,
  ): Promise<AuditPage> {
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
    await this.export(request, response, conference, { extension: 'csv', type: 'text/csv', through: table });
  }

  @Get(':conference/audit.json')
  async json(
    @Req() request: Request,
    @Res() response: Response,
    @Param('conference') conference: string,
  ): Promise<void> {
    const through = () => lines;
    await this.export(request, response, conference, { extension: 'json', type: 'application/x-ndjson', through });
  }

  private async export(
    request: Request,
    response: Response,
    conference: string,
    { extension, type, through }: ExportFormat,
  ): Promise<void> {
    await this.allowed(request, conference);
    const entries = readWholeAudit(this.ports.readLive, conference);
    // Before the first byte: what fails here still is a numbered refusal.
    const first = await entries.next();
    response.attachment(`${conference}-audit.${extension}`).type(type);
    try {
      await pipeline(resumed(first, entries), through(), response);
    } catch (err) {
      // Half a file has gone out, or the reader has: a broken connection says more than a false end.
      this.ports.logger.warn({ err }, 'an export of the audit broke off');
      response.destroy();
    }
  }

  private async allowed(request: Request, conference: string): Promise<void> {
    const identity = await identify(this.ports, request, conference);
    if (identity.role !== 'organizer') throw new Refusal('forbidden', 'this needs the role organizer');
    const here = await withFeed(this.ports.feed, conference, (feed) => mayConnect(identity, stateOf(feed)));
    if (here !== 'ok') throw here;
  }
}

async function* resumed(
  first: IteratorResult<AuditEntry>,
  rest: AsyncGenerator<AuditEntry>,
): AsyncGenerator<AuditEntry> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function* lines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}
