/** What a database must allow: the rights that docs/operations.md names are enough, tried by a role that has no others. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool } from '#libs/postgres';
import { listGenerations } from '#libs/projector';
import { readConfig } from '../src/config.js';
import { createService, type Service } from '../src/service.js';
import { api, openDemo, until } from './support/process.js';
import { silent as logger } from './support/silent.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

describe('a role with the documented rights on an empty database', () => {
  const name = `t_rights_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let url: string;
  const services: Service[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    const { pool } = database;
    await pool.query(
      `create role ${name} login password 'of-the-test' nosuperuser nocreatedb nocreaterole noreplication`,
    );
    await pool.query(`create database ${name}`);
    await pool.query(`revoke all on database ${name} from public`);
    await pool.query(`grant connect, create on database ${name} to ${name}`);
    const own = new URL(database.url);
    own.pathname = `/${name}`;
    const owners = createPool({ url: own.href, applicationName: 'hallway test' });
    await owners.query('revoke all on schema public from public');
    await owners.query(`grant usage, create on schema public to ${name}`);
    await owners.end();
    own.username = name;
    own.password = 'of-the-test';
    url = own.href;
  });
  afterAll(async () => {
    for (const service of services.reverse()) await service.stop();
    await database.pool.query(`drop database if exists ${name} with (force)`);
    await database.pool.query(`drop role if exists ${name}`);
    await database.drop();
  });

  it('case M4: starts, migrates, takes commands, builds another generation and drops the one before the last', async () => {
    const environment = { DATABASE_URL: url, PORT: '0', HALLWAY_DRAIN_MS: '0', HALLWAY_DEMO: 'off' };
    const start = async (projectionVersion: string) => {
      const service = await createService({ config: readConfig(environment), logger, projectionVersion });
      services.push(service);
      return service;
    };
    const first = await start('v1');
    const token = await first.tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 600);
    await openDemo(api(() => first.url, token));
    expect(await first.feed.conferences()).toEqual(['demo']);
    await start('v2');
    const { store } = await start('v3');
    await until(
      'all but the last two are dropped',
      async () => (await listGenerations(store.pool)).map(({ state }) => state).join() === 'live,retired,dropped',
    );
    const { rows } = await store.pool.query<{ rights: boolean }>(
      `select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls
              or exists (select from pg_auth_members where member = pg_roles.oid) as rights
       from pg_roles where rolname = current_user`,
    );
    expect(rows).toEqual([{ rights: false }]);
  }, 90_000);
});
