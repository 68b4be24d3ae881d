import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { silent } from '../../../test/support/silent.js';
import { startEmbeddedPostgres } from './start.js';

let folder: string;
let whole: string;
let count = 0;

/** A copy of a stopped data folder with one row in it. */
function copy(): string {
  const made = path.join(folder, `copy-${count++}`);
  expect(spawnSync('cp', ['-a', whole, made]).status).toBe(0);
  return made;
}

const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, logger: silent });

async function rowOf(url: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query('select n from kept')).rows[0];
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-damage-'));
  fs.chmodSync(folder, 0o755);
  whole = path.join(folder, 'whole');
  const first = await start(whole);
  const client = new Client({ connectionString: first.url });
  await client.connect();
  await client.query('create table kept as select 1 as n');
  await client.end();
  await first.stop();
}, 60_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => (dataDir: string) => fs.writeFileSync(path.join(dataDir, name), text);
const append = (name: string, text: string) => (dataDir: string) => fs.appendFileSync(path.join(dataDir, name), text);
const remove = (name: string) => (dataDir: string) => fs.rmSync(path.join(dataDir, name), { recursive: true });
const mode = (bits: number) => (dataDir: string) => fs.chmodSync(path.join(dataDir, 'postgres'), bits);

/** Emptied, and as it was otherwise. */
function empty(dataDir: string): void {
  const cluster = path.join(dataDir, 'postgres');
  for (const name of fs.readdirSync(cluster)) fs.rmSync(path.join(cluster, name), { recursive: true });
}

describe('a damaged data folder', () => {
  it.each<[string, (dataDir: string) => void, RegExp]>([
    [
      'a syntax error in postgresql.conf',
      append('postgres/postgresql.conf', 'no such line\n'),
      /postgres\/postgresql\.conf is damaged \(syntax error line \d+, near token "line"\): correct or remove that line$/,
    ],
    [
      'a value that postgresql.conf may not have',
      append('postgres/postgresql.conf', 'work_mem = lots\n'),
      /postgres\/postgresql\.conf is damaged \(invalid value for parameter "work_mem": "lots"\): correct or remove that line$/,
    ],
    [
      'no postgresql.conf',
      remove('postgres/postgresql.conf'),
      /postgres\/postgresql\.conf cannot be read \(No such file or directory\): restore the folder from a backup$/,
    ],
    [
      'garbage in pg_hba.conf',
      write('postgres/pg_hba.conf', 'nonsense\n'),
      /postgres\/pg_hba\.conf is damaged \(invalid connection type "nonsense"\): its only line must be "host all all 127\.0\.0\.1\/32 scram-sha-256"$/,
    ],
    [
      'garbage in PG_VERSION',
      write('postgres/PG_VERSION', 'garbage\n'),
      /postgres\/PG_VERSION is damaged \(does not contain valid data\): restore the folder from a backup$/,
    ],
    [
      'no PG_VERSION',
      remove('postgres/PG_VERSION'),
      /postgres\/PG_VERSION is damaged \(is missing\): restore the folder from a backup$/,
    ],
    [
      'another version in PG_VERSION',
      write('postgres/PG_VERSION', '15\n'),
      /postgres was made by PostgreSQL 15, and this is 18: start the version of Hallway that made it/,
    ],
    [
      'a torn pg_control',
      (dataDir) => fs.truncateSync(path.join(dataDir, 'postgres/global/pg_control'), 100),
      /global\/pg_control is damaged \(could not read file "global\/pg_control": read 100 of 296\): restore the folder/,
    ],
    [
      'a pg_control of noise',
      (dataDir) => fs.writeFileSync(path.join(dataDir, 'postgres/global/pg_control'), Buffer.alloc(8192, 7)),
      /global\/pg_control is damaged \(.*\): restore the folder from a backup$/,
    ],
    [
      'no pg_control',
      remove('postgres/global/pg_control'),
      /global\/pg_control is damaged \(.*No such file or directory\): restore the folder from a backup$/,
    ],
    [
      'no write-ahead log',
      remove('postgres/pg_wal'),
      /the database in \S+postgres does not start \(required WAL directory "pg_wal" does not exist\): restore the folder/,
    ],
    [
      'no files of the tables',
      remove('postgres/base'),
      /the database in \S+postgres does not start \(.*database "postgres" does not exist.*\): restore the folder/,
    ],
    ['mode 0777', mode(0o777), /postgres has mode 0777, and Postgres wants 0700: chmod 700 \S+postgres$/],
    ['mode 0555', mode(0o555), /postgres has mode 0555, and Postgres wants 0700: chmod 700 \S+postgres$/],
    ['no files', empty, /postgres is empty: restore the folder from a backup, or remove \S+postgres to begin/],
    [
      'a password that is not the database’s',
      write('postgres.password', 'another'),
      /postgres\.password is not the password of the database beside it: put the right file back, or remove it/,
    ],
  ])(
    'case R11: %s is told in one line, with the place and what to do, and no lock stays behind',
    async (_, damage, said) => {
      const dataDir = copy();
      damage(dataDir);
      const error: Error = await start(dataDir).then(
        () => new Error('it started'),
        (thrown: Error) => thrown,
      );
      expect([error.name, error.message]).toEqual(['FolderDamaged', expect.stringMatching(said)]);
      expect(error.message).not.toContain('\n');
      expect(error.message).toContain(dataDir);
      expect(fs.readdirSync(dataDir).filter((name) => /instance|partial/.test(name))).toEqual([]);
    },
  );

  it('case R11: where the password is lost a new one is set, said so, and every row is there', async () => {
    const dataDir = copy();
    fs.rmSync(path.join(dataDir, 'postgres.password'));
    const started = await start(dataDir);
    expect(started.notes.join('\n')).toMatch(/postgres\.password was missing: a new password was set/);
    expect(await rowOf(started.url)).toEqual({ n: 1 });
    await started.stop();
    const again = await start(dataDir);
    expect(again.notes.join('\n')).not.toMatch(/password/);
    expect(await rowOf(again.url)).toEqual({ n: 1 });
    await again.stop();
  }, 60_000);
});
