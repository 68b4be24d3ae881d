import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { type HealthReport, HTTP_PORTS, type HttpPorts } from './ports.js';

@Controller()
export class HealthController {
  constructor(@Inject(HTTP_PORTS) private readonly ports: Pick<HttpPorts, 'health'>) {}

  @Get('healthz')
  healthz(@Res() response: Response): void {
    report(response, this.ports.health.alive());
  }

  @Get('readyz')
  readyz(@Res() response: Response): void {
    report(response, this.ports.health.ready());
  }

  @Get('readyz/clients')
  clients(@Res() response: Response): void {
    report(response, this.ports.health.takesClients());
  }
}

function report(response: Response, { ok, details }: HealthReport): void {
  response
    .status(ok ? 200 : 503)
    .set('cache-control', 'no-store')
    .json({ ok, ...details });
}
