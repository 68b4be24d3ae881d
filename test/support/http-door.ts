/** The HTTP door on a conference in memory, and somebody who calls it. */
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Refusal } from '#libs/protocol';
import type { Identity } from '../../src/conference/capability.js';
import { guardHttp, HttpDoorModule } from '../../src/doors/http/http-door.module.js';
import { numberParserErrors } from '../../src/doors/http/parser-errors.js';
import { turningAway } from '../../src/doors/http/turn-away.js';
import { createIntake } from '../../src/intake/intake.js';
import type { Doors } from './doors.js';
import { silent } from './silent.js';
import { CONFERENCE } from './world.js';

export interface Asking {
  readonly by?: Identity;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

export interface HttpDoor {
  readonly url: string;
  /** What `/readyz` says. */
  ready: boolean;
  call(path: string, asking?: Asking): Promise<Answer>;
  close(): Promise<void>;
}

export async function openHttpDoor(doors: Doors): Promise<HttpDoor> {
  const ports = {
    feed: doors.feed,
    commands: doors.commands,
    tokens: doors.tokens,
    intake: createIntake({
      producers: {},
      handle: (command) => doors.commands.takeForeign(command),
    }),
    readLive: () => Promise.reject(new Refusal('behind')),
    listConferences: async () => [{ id: CONFERENCE, title: 'SREcon Demo' }],
    publicUrl: 'https://hallway.example',
    joinBudget: 3,
    logger: silent,
    health: {
      alive: () => ({ ok: true, details: {} }),
      ready: () => ({ ok: door.ready, details: { feed: 'behind' } }),
      takesClients: () => ({ ok: true, details: {} }),
    },
  };
  const app = await NestFactory.create<NestExpressApplication>(HttpDoorModule.forRoot(ports), {
    logger: false,
    bodyParser: false,
  });
  guardHttp(app, ports);
  const server = app.getHttpServer();
  numberParserErrors(server);
  server.removeAllListeners('request').on('request', turningAway(app.getHttpAdapter().getInstance(), ports));
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const door: HttpDoor = {
    url,
    ready: true,
    async call(path, { by, body, headers = {} } = {}) {
      const response = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          'content-type': 'application/json',
          ...(by ? { authorization: `Bearer ${await doors.tokens.issue(by, 60)}` } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /\W(problem\+)?json\b/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    close: () => app.close(),
  };
  return door;
}
