/** The HTTP interface, described by what it is made of: the list of capabilities. */
import { createHash } from 'node:crypto';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { docsPage, STYLE } from './docs-page.js';
import { openApi } from './openapi.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';

/** The page's one style is allowed by its hash; nothing else is loaded. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'`;

@Controller('docs')
export class DocsController {
  private readonly document: object;

  constructor(@Inject(HTTP_PORTS) { publicUrl }: Pick<HttpPorts, 'publicUrl'>) {
    this.document = openApi(publicUrl);
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', POLICY)
  page(): string {
    return docsPage();
  }

  @Get('openapi.json')
  openapi(): object {
    return this.document;
  }
}
