import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { AccessController } from './access.controller.js';
import { AuditController } from './audit.controller.js';
import { admitRequests } from './body.js';
import { ConferencesController } from './conferences.controller.js';
import { DocsController } from './docs.controller.js';
import { EventsController } from './events.controller.js';
import { ExportsController } from './exports.controller.js';
import { HealthController } from './health.controller.js';
import { ImportsController } from './imports.controller.js';
import { OlderController } from './older.controller.js';
import { PagesController } from './pages.controller.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';
import { ProblemFilter } from './problem.js';
import { TokensController } from './tokens.controller.js';

const CONTENT_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a module with arguments
export class HttpDoorModule {
  static forRoot(ports: HttpPorts): DynamicModule {
    const controllers = [
      DocsController,
      ConferencesController,
      OlderController,
      AccessController,
      TokensController,
      ImportsController,
      AuditController,
      ExportsController,
      EventsController,
      PagesController,
    ];
    return doorOf(ports, [HealthController, ...controllers]);
  }

  /** A projector serves nobody. */
  static healthOnly(ports: HttpPorts): DynamicModule {
    return doorOf(ports, [HealthController]);
  }
}

const doorOf = (ports: HttpPorts, controllers: NonNullable<DynamicModule['controllers']>): DynamicModule => ({
  module: HttpDoorModule,
  controllers,
  providers: [
    { provide: HTTP_PORTS, useValue: ports },
    { provide: APP_FILTER, useValue: new ProblemFilter(ports.logger) },
  ],
});

/** Limits and headers of the whole server. @param app made with `bodyParser: false`, or its larger default limit stays */
export function guardHttp(app: NestExpressApplication, ports: Pick<HttpPorts, 'feed' | 'tokens' | 'logger'>): void {
  app.disable('x-powered-by');
  app.use((_request: Request, response: Response, next: () => void) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    next();
  });
  app.use(admitRequests(ports));
}
