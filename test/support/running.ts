/** The service inside the test's process, on a fresh database: for suites that look at its inside. */
import { randomUUID } from 'node:crypto';
import { createFeedClient, type FeedClient, type TicketStore } from '#libs/feed-client';
import type { Logger } from '#libs/postgres';
import type { Role } from '../../src/conference/capability.js';
import { readConfig } from '../../src/config.js';
import { createService, type Service } from '../../src/service.js';
import { type Api, api } from './process.js';
import { silent } from './silent.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import { withTestLog } from './test-log.js';

export interface Running {
  readonly database: TestDatabase;
  readonly service: Service;
  readonly organizer: Api;
  token(role: Role, actor?: string, seconds?: number): Promise<string>;
  /** As somebody, over HTTP. */
  as(role: Role, actor: string): Promise<Api>;
  client(
    token: string,
    channels: readonly string[],
    cls?: 'screen' | 'desk' | 'phone',
    tickets?: TicketStore,
  ): FeedClient;
  /** A further process's worth of service on the same database. */
  another(projectionVersion: string): Promise<Service>;
  stop(): Promise<void>;
}

export async function startRunning({
  version = 'v1',
  database,
  environment = {},
  logger = silent,
}: {
  readonly version?: string;
  readonly database?: TestDatabase;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
} = {}): Promise<Running> {
  const own = database ?? (await createTestDatabase());
  const config = readConfig(
    await withTestLog({
      DATABASE_URL: own.url,
      PORT: '0',
      LOG_LEVEL: 'silent',
      HALLWAY_DRAIN_MS: '0',
      HALLWAY_DEMO: 'off',
      ...environment,
    }),
  );
  const make = (projectionVersion: string) => createService({ config, logger, projectionVersion });
  const service = await make(version);
  const clients = new Set<FeedClient>();
  const others = new Set<Service>();
  const token = (role: Role, actor: string = randomUUID(), seconds = 3_600) =>
    service.tokens.issue({ actor, role, conference: role === 'organizer' ? '*' : 'demo' }, seconds);
  return {
    database: own,
    service,
    organizer: api(() => service.url, await token('organizer', 'olga')),
    token,
    as: async (role, actor) => api(() => service.url, await token(role, actor)),
    client(with_, channels, cls = 'screen', tickets) {
      const client = createFeedClient({
        url: service.url,
        conference: 'demo',
        class: cls,
        getToken: () => with_,
        channels,
        ...(tickets ? { tickets } : {}),
      });
      clients.add(client);
      return client;
    },
    async another(projectionVersion) {
      const other = await make(projectionVersion);
      others.add(other);
      return other;
    },
    async stop() {
      for (const client of clients) client.close();
      for (const other of others) await other.stop();
      await service.stop();
      if (!database) await own.drop();
    },
  };
}
