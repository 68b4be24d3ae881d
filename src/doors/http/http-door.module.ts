import type { IncomingMessage } from 'node:http';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { Refusal } from '#libs/protocol';
import { AccessController } from './access.controller.js';
import { AuditController } from './audit.controller.js';
import { ConferencesController } from './conferences.controller.js';
import { DocsController } from './docs.controller.js';
import { EventsController } from './events.controller.js';
import { ExportsController } from './exports.controller.js';
import { HealthController } from './health.controller.js';
import { identify } from './identify.js';
import { ImportsController } from './imports.controller.js';
import { OlderController } from './older.controller.js';
import { PagesController } from './pages.controller.js';
import { HTTP_PORTS, type HttpPorts } from './ports.js';
import { ProblemFilter, sendProblem } from './problem.js';

const BODY_LIMIT = '64kb';
/** The largest schedule seen of a real congress has 3 MB. */
const SCHEDULE_LIMIT = '16mb';

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
export function guardHttp(app: NestExpressApplication, { tokens }: Pick<HttpPorts, 'tokens'>): void {
  app.disable('x-powered-by');
  app.use((_request: Request, response: Response, next: () => void) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    next();
  });
  app.useBodyParser('raw', { limit: BODY_LIMIT, type: isEvent });
  app.useBodyParser('json', {
    limit: BODY_LIMIT,
    type: (request) => !isImport(request) && !isEvent(request) && isJson(request),
  });
  // Large bodies are read only from people we know.
  app.use((request: Request, response: Response, next: () => void) => {
    if (!isImport(request)) {
      next();
      return;
    }
    identify(tokens, request).then(
      () => next(),
      (error: unknown) => sendProblem(response, error instanceof Refusal ? error : new Refusal('internal')),
    );
  });
  // Whatever its type: what it is, the first character tells.
  app.useBodyParser('raw', { limit: SCHEDULE_LIMIT, type: isImport });
}

const isImport = ({ method, url }: IncomingMessage): boolean =>
  method === 'POST' && /^\/v1\/conferences\/[^/?]+\/imports\/?(\?|$)/.test(url ?? '');
/** The SDK reads headers and body together. */
const isEvent = ({ method, url }: IncomingMessage): boolean =>
  method === 'POST' && /^\/v1\/conferences\/[^/?]+\/events\/?(\?|$)/.test(url ?? '');
const isJson = ({ headers }: IncomingMessage): boolean => /^application\/json\b/i.test(headers['content-type'] ?? '');
