/** The HTTP interface, described by what it is made of: the list of capabilities. */
import { Controller, Get, Header } from '@nestjs/common';
import { openapi, openapiPage } from './openapi.js';

@Controller('docs')
export class DocsController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return openapiPage();
  }

  @Get('openapi.json')
  document(): object {
    return openapi();
  }
}
