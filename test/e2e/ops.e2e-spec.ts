/** What operators rely on is true: names in rules are in a scrape, every alert has a runbook and a test that makes it fire. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const RULES = 'ops/prometheus/rules.yml';
const TESTS = 'ops/prometheus/rules.test.yml';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: { readonly runbook_url: string };
}

const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const alerts = rules.filter(({ alert }) => alert !== undefined);
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}
const DASHBOARDS = 'ops/grafana/dashboards';
const dashboards = readdirSync(DASHBOARDS).map(
  (name) => JSON.parse(readFileSync(`${DASHBOARDS}/${name}`, 'utf8')) as Dashboard,
);

/** Of a query: everything that looks like one of our names or the runtime's. */
const namesIn = (text: string) => [...text.matchAll(/\b(?:feed|nodejs|hallway)_[a-z0-9_]+/g)].map(([name]) => name);

function promtoolMissing(): boolean {
  if (spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0) return false;
  if (process.env.CI === 'true') throw new Error('promtool is missing: npm run setup');
  process.stderr.write('skipped: promtool is missing (npm run setup)\n');
  return true;
}

describe('rules and runbooks', () => {
  it('every alert leads to a runbook that exists, and is tested with its fault and on a healthy day', () => {
    const tested = (
      parse(readFileSync(TESTS, 'utf8')) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
      }
    ).tests;
    const [healthy, ...faults] = tested;
    const fires = new Set(
      faults.flatMap((fault) =>
        fault.alert_rule_test.flatMap(({ alertname, exp_alerts = [] }) => (exp_alerts.length > 0 ? [alertname] : [])),
      ),
    );
    for (const { alert, annotations } of alerts) {
      expect([alert, existsSync(annotations?.runbook_url ?? '')]).toEqual([alert, true]);
      expect([alert, fires.has(alert ?? '')]).toEqual([alert, true]);
      expect([alert, healthy?.alert_rule_test.some(({ alertname }) => alertname === alert)]).toEqual([alert, true]);
    }
    expect(alerts.length).toBeGreaterThan(20);
  });

  it('as many processes are expected as the compose file starts', () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8')) as {
      services: Record<string, { deploy?: { replicas?: number } }>;
    };
    const expected = rules.filter(({ record }) => record === 'hallway:processes:expected');
    expect(expected.map(({ expr, labels }) => [labels?.role, expr])).toEqual(
      ['projector', 'gateway'].map((role) => [role, `vector(${services[role]?.deploy?.replicas})`]),
    );
  });
});

(promtoolMissing() ? describe.skip : describe)('alerts', () => {
  it('each alert fires on the fault it is for and is quiet on a healthy day (promtool)', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', TESTS], { encoding: 'utf8' });
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  }, 180_000);

  it('the configuration that loads them is one of Prometheus’s (promtool)', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'ops/prometheus/prometheus.yml'], {
      encoding: 'utf8',
    });
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  }, 60_000);
});

describe('dashboards', () => {
  it('ask for recorded promises that the rules record', () => {
    const records = new Set(rules.map(({ record }) => record));
    const asked = dashboards
      .flatMap(({ panels }) => panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)))
      .flatMap((expr) => expr.match(/\bslo:[a-z0-9_:]+/g) ?? []);
    expect(new Set(asked).size).toBe(5);
    expect(asked.filter((name) => !records.has(name))).toEqual([]);
  });
});

describe('a scrape of a running service', () => {
  let database: TestDatabase;
  let service: ServiceProcess;
  let desk: FeedClient | undefined;
  let text = '';
  let scraped = new Set<string>();
  let tables = new Set<string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    const port = await freePort();
    service = await startProcess({ DATABASE_URL: database.url, LOG_LEVEL: 'warn', METRICS_PORT: String(port) });
    await service.printed(/is ready/);
    const { rows } = await database.pool.query<{ name: string }>('select tablename as name from pg_tables');
    tables = new Set(rows.map(({ name }) => name));
    const token = await (await createTokens(database.pool)).issue(
      { actor: 'olga', role: 'organizer', conference: '*' },
      600,
    );
    const organizer = api(() => service.url, token);
    await openDemo(organizer);
    desk = createFeedClient({
      url: service.url,
      conference: 'demo',
      class: 'desk',
      getToken: () => token,
      channels: ['schedule'],
    });
    await until('the desk follows', () => (desk?.documents('schedule').size ?? 0) > 0);
    await organizer.send('start-session', { session: 's1' });
    desk.subscribe('session/nowhere');
    await until('the channel is refused', () => (desk?.refusals().size ?? 0) > 0);
    const scrape = async () => {
      text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      scraped = new Set([...text.matchAll(/^([a-z_0-9]+)[{ ]/gm)].map(([, name]) => name ?? ''));
      return scraped.has('feed_event_to_screen_duration_bucket');
    };
    await until('the frame is counted', scrape);
  }, 60_000);

  afterAll(async () => {
    desk?.close();
    await service?.end('SIGTERM');
    await database?.drop();
  });

  it('has every name that rules, promises, runbooks and dashboards speak of', () => {
    const runbooks = alerts.map(({ annotations }) => readFileSync(annotations?.runbook_url ?? '', 'utf8'));
    const queries = [
      ...rules.map(({ expr }) => expr),
      readFileSync('docs/slo.md', 'utf8'),
      ...runbooks,
      readFileSync('docs/observability.md', 'utf8'),
      ...dashboards.flatMap(({ panels }) => panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))),
    ];
    const known = (name: string) => scraped.has(name) || scraped.has(`${name}_bucket`) || tables.has(name);
    expect([...new Set(queries.flatMap(namesIn))].filter((name) => !known(name))).toEqual([]);
  });

  it('has every pool of the process, and every partition whoever owns it', () => {
    const values = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, value]) => value));
    expect([...values(/^feed_pool_connections\{.*pool="([a-z]+)"/gm)].sort()).toEqual([
      'gateway',
      'projector',
      'store',
    ]);
    expect(values(/^feed_projection_folded_total\{.*partition="(\d+)"/gm).size).toBe(8);
    expect(text).toMatch(/^feed_log_partitions(\{.*\})? 8$/m);
  });

  it('has bounded labels: no conference, no person', () => {
    expect(text).not.toMatch(/"demo"|"olga"|"s1"/);
  });
});
