/** The pages that know their conference by the path. Everything else of the web application is a static file. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

const HERE = fileURLToPath(import.meta.url);

/** Where the built pages are, seen from the sources as well as from what was built of them. */
export const WEB_FOLDER = path.resolve(
  path.dirname(HERE),
  HERE.includes('/dist/') ? '../../../web' : '../../../dist/web',
);

interface Page {
  readonly html: string;
  /** What its inline script and styles need in the content policy. */
  readonly hashes: { readonly script: readonly string[]; readonly style: readonly string[] };
}

@Controller('c/:conference')
export class PagesController {
  private readonly pages = new Map<string, Page>();

  constructor(@Inject(HTTP_PORTS) private readonly ports: HttpPorts) {}

  @Get()
  live(@Res() response: Response): void {
    this.send(response, 'live');
  }

  @Get('s/:session')
  session(@Res() response: Response): void {
    this.send(response, 'live');
  }

  @Get(['desk', 'desk/:session'])
  desk(@Res() response: Response): void {
    this.send(response, 'desk');
  }

  @Get(['organize', 'audit'])
  organize(@Res() response: Response): void {
    this.send(response, 'organize');
  }

  @Get('join')
  join(@Res() response: Response): void {
    this.send(response, 'join');
  }

  private send(response: Response, name: string): void {
    const page = this.page(name);
    if (!page) {
      this.ports.logger.error({ page: name }, 'this page was not built');
      response.status(503).type('text/plain').send('This page was not built: npm run build');
      return;
    }
    const policy = String(response.getHeader('content-security-policy') ?? '');
    if (page.hashes.script.length > 0)
      response.setHeader(
        'content-security-policy',
        `${policy}; script-src 'self' ${page.hashes.script.join(' ')}; style-src 'self' ${page.hashes.style.join(' ')}`,
      );
    response.setHeader('cache-control', 'no-cache');
    response.type('html').send(page.html);
  }

  private page(name: string): Page | undefined {
    const known = this.pages.get(name);
    if (known) return known;
    const page = readPage(name);
    if (page) this.pages.set(name, page);
    return page;
  }
}

function readPage(name: string): Page | undefined {
  try {
    const html = readFileSync(path.join(WEB_FOLDER, `${name}.html`), 'utf8');
    return { html, hashes: { script: inlined(html, 'script'), style: inlined(html, 'style') } };
  } catch {
    return undefined; // Not built.
  }
}

const inlined = (html: string, tag: string): string[] =>
  [...html.matchAll(new RegExp(`<${tag}(?: type="module")?>([\\s\\S]*?)</${tag}>`, 'g'))].map(
    ([, content]) =>
      `'sha256-${createHash('sha256')
        .update(content ?? '')
        .digest('base64')}'`,
  );
