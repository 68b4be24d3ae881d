/** A broker that lets in only who encrypts and logs in, and lets each do only what it must: TLS and SASL by configuration alone. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { kafkaMissing, startTestKafka, type TestKafka } from '../support/kafka.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const suite = kafkaMissing() ? describe.skip : describe;
const STORE = 'a-store-for-this-test-only';
const PASSWORD = 'a-password-for-this-test-only';

/** A certificate for 127.0.0.1 that signs itself, by Java's own tool. @returns it as PEM, for those who are to trust it */
function certificate(folder: string): string {
  const store = ['-keystore', path.join(folder, 'broker.p12'), '-storepass', STORE, '-alias', 'broker'];
  const keytool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('keytool', [...args, ...store], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stdout + stderr);
    return stdout;
  };
  const named = ['-dname', 'CN=broker', '-ext', 'SAN=ip:127.0.0.1', '-validity', '2'];
  keytool('-genkeypair', '-keyalg', 'RSA', '-storetype', 'PKCS12', ...named);
  return keytool('-exportcert', '-rfc');
}

const properties = (folder: string) => `ssl.keystore.type=PKCS12
ssl.keystore.location=${folder}/broker.p12
ssl.keystore.password=${STORE}
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_hallway="${PASSWORD}" user_venue="${PASSWORD}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`;

const allow = (
  user: string,
  [resourceType, resourceName, resourcePatternType]: readonly [
    AclEntry['resourceType'],
    string,
    AclEntry['resourcePatternType'],
  ],
  operation: AclEntry['operation'],
): AclEntry => ({
  principal: `User:${user}`,
  host: '*',
  permissionType: AclPermissionTypes.ALLOW,
  resourceType,
  resourceName,
  resourcePatternType,
  operation,
});
const EVENTS = [AclResourceTypes.TOPIC, 'conference.events', ResourcePatternTypes.LITERAL] as const;
const INTAKE = [AclResourceTypes.TOPIC, 'conference.intake', ResourcePatternTypes.LITERAL] as const;
const GROUPS = [AclResourceTypes.GROUP, 'hallway-', ResourcePatternTypes.PREFIXED] as const;
/** All of it is in docs/operations.md, "What the broker must allow". */
const RIGHTS = [
  allow('hallway', EVENTS, AclOperationTypes.READ),
  allow('hallway', EVENTS, AclOperationTypes.WRITE),
  allow('hallway', INTAKE, AclOperationTypes.READ),
  allow('hallway', INTAKE, AclOperationTypes.WRITE),
  allow('hallway', GROUPS, AclOperationTypes.READ),
  allow('venue', INTAKE, AclOperationTypes.WRITE),
];
const RIGHTS_OF_TOPICS = [EVENTS, INTAKE].flatMap((topic) =>
  [AclOperationTypes.CREATE, AclOperationTypes.DESCRIBE_CONFIGS].map((operation) => allow('hallway', topic, operation)),
);

suite('a broker with TLS and SASL', () => {
  let folder: string;
  let kafka: TestKafka;
  let database: TestDatabase;
  let admin: Admin;
  let service: ServiceProcess | undefined;
  let organizer: Api;
  let trusted: Readonly<Record<string, string>>;

  const topics = (environment: Readonly<Record<string, string>>) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/cli/main.js', 'topics'], {
      env: { PATH: process.env.PATH ?? '', ...environment },
      encoding: 'utf8',
      timeout: 40_000,
    });
    return { status, said: stdout + stderr };
  };

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-secure-'));
    fs.writeFileSync(path.join(folder, 'ca.pem'), certificate(folder));
    [kafka, database] = await Promise.all([startTestKafka(properties(folder)), createTestDatabase()]);
    admin = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    trusted = {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: kafka.secure,
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: path.join(folder, 'ca.pem'),
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'hallway',
      KAFKA_SASL_PASSWORD: PASSWORD,
    };
  }, 120_000);

  afterAll(async () => {
    await service?.end('SIGTERM');
    await admin?.disconnect();
    await kafka?.remove();
    await database?.drop();
    fs.rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it.each([
    ['a password that is wrong', { KAFKA_SASL_PASSWORD: 'wrong' }, /log ?in|authenticat|SASL/i],
    ['a certificate that nobody has told it to trust', { KAFKA_TLS_CA_FILE: undefined }, /certificate/i],
    ['no encryption', { KAFKA_TLS: 'off' }, /./],
  ])(
    'with %s there is a reason, no secret in it, and no topic',
    (_, over, reason) => {
      const environment = Object.fromEntries(
        Object.entries({ ...trusted, ...over }).filter(([, value]) => value),
      ) as Record<string, string>;
      const { status, said } = topics(environment);
      expect(status).toBe(1);
      expect(said).toMatch(reason);
      expect(said).not.toContain(PASSWORD);
    },
    60_000,
  );

  it('without the right to make the topics it says so', async () => {
    await admin.createAcls({ acl: RIGHTS });
    const { status, said } = topics(trusted);
    expect(status).toBe(1);
    expect(said).toMatch(/^hallway: 201 conference\.events: Kafka refuses: .*not authorized/im);
    expect(said).not.toMatch(/^ +at /m);
  }, 60_000);

  it('`hallway topics` makes the topics and the whole road runs over it, with no right more than is written down', async () => {
    await admin.createAcls({ acl: RIGHTS_OF_TOPICS });
    expect(topics(trusted)).toEqual({ status: 0, said: expect.not.stringContaining('holds events') });
    service = await startProcess({ ...trusted, LOG_LEVEL: 'info', HALLWAY_PRODUCERS: '{"venue":["*"]}' });
    await service.printed(/is ready/);
    const tokens = await createTokens(database.pool);
    organizer = api(
      () => service?.url ?? '',
      await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600),
    );
    await openDemo(organizer);
    await organizer.send('start-session', { session: 's1' });
    await until('it is shown', async () =>
      JSON.stringify((await organizer.get('/v1/conferences/demo/channels/schedule')).body).includes('"running"'),
    );
    expect(service.output()).not.toContain(PASSWORD);
    expect(service.output()).not.toMatch(/not authorized/i);
    expect(topics(trusted)).toEqual({ status: 0, said: expect.not.stringContaining('holds events') });
  }, 90_000);

  it('who may only produce to the intake is heard there, and can neither write the log nor read it', async () => {
    const kcat = (args: readonly string[], input = '') => {
      const login = { 'security.protocol': 'SASL_SSL', 'ssl.ca.location': trusted.KAFKA_TLS_CA_FILE };
      const sasl = { 'sasl.mechanism': 'PLAIN', 'sasl.username': 'venue', 'sasl.password': PASSWORD };
      const settings = Object.entries({ ...login, ...sasl }).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
      const { status, stderr } = spawnSync('kcat', ['-b', kafka.secure, ...settings, ...args], {
        input,
        encoding: 'utf8',
        timeout: 20_000,
      });
      return `${status} ${stderr}`;
    };
    const event = { specversion: '1.0', id: '1', source: 'venue', type: 'session-ended', data: { session: 's1' } };
    expect(kcat(['-P', '-t', 'conference.intake', '-k', 'demo'], JSON.stringify(event))).toMatch(/^0 /);
    await until('it is shown', async () =>
      JSON.stringify((await organizer.get('/v1/conferences/demo/channels/schedule')).body).includes('"ended"'),
    );
    expect(kcat(['-P', '-t', 'conference.events', '-k', 'demo'], 'x')).toMatch(/not authorized|authorization failed/i);
    expect(kcat(['-C', '-t', 'conference.events', '-e'])).toMatch(/not authorized|authorization failed/i);
  }, 60_000);

  it('`hallway topics` tells a database that comes to a topic full of another one’s events', async () => {
    const other = await createTestDatabase();
    const { status, said } = topics({ ...trusted, DATABASE_URL: other.url });
    expect([status, said]).toEqual([
      0,
      expect.stringMatching(/^conference\.events: holds events .*docs\/operations\.md/m),
    ]);
    await other.drop();
  }, 60_000);
});
