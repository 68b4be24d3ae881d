/** Imports run one way (design: src → libs). Each rule says what a folder may import from our own tree, or where a package may be imported. */
const may = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.(int-|e2e-)?spec\\.ts$' },
  to: { path: '^(src|libs|migrations|test)/', pathNot: allowed },
});
const only = (name, pkg, home) => ({
  name,
  severity: 'error',
  from: { path: '^(src|libs|migrations)/', pathNot: `${home}|\\.(int-|e2e-)?spec\\.ts$` },
  to: { path: pkg },
});

export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(uuid|node)$' } },
    {
      name: 'libs-have-one-door',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: { path: '^libs/[^/]+/(?!index\\.ts$)' },
    },
    may('libs-never-see-src', '^libs/', '^(libs|migrations)/'),
    may('limits-know-nothing', '^libs/limits/', '^libs/limits/'),
    may('protocol-knows-limits', '^libs/protocol/', '^libs/(protocol|limits)/'),
    may('client-knows-protocol', '^libs/feed-client/', '^libs/(feed-client|protocol|limits)/'),
    may('postgres-knows-limits', '^libs/postgres/', '^libs/(postgres|limits)/'),
    may('signals-know-limits', '^libs/signals/', '^libs/(signals|limits)/'),
    may('log-knows-postgres', '^libs/event-log/', '^libs/(event-log|postgres|protocol|signals|limits)/'),
    may('write-half', '^libs/projector/', '^libs/(projector|event-log|postgres|signals|limits)/|^migrations/'),
    may('read-half', '^libs/feed/', '^libs/(feed|event-log|postgres|protocol|signals|limits)/'),
    {
      name: 'capabilities-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/conference/([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/conference/[^/]+/', pathNot: '^src/conference/$1/' },
    },
    may(
      'pages-know-client-and-documents',
      '^src/web/',
      '^(src/web/|libs/(feed-client|protocol|limits)/|src/conference/(view[a-z-]*|times)\\.ts|src/conference/[^/]+/documents\\.ts)',
    ),
    may(
      'conference-knows-no-door',
      '^src/conference/',
      '^(src/conference/|libs/(event-log|projector|protocol|limits)/)',
    ),
    only('kafkajs-only-in-the-log', 'node_modules/kafkajs', '^libs/event-log/kafka/'),
    only(
      'database-only-where-tables-live',
      'node_modules/(pg|typeorm)/',
      '^(libs/(postgres|event-log/postgres|event-log/sealing|projector|feed)/|migrations/|src/conference/[^/]+/entities\\.ts|src/doors/tokens/|src/ops/way-out\\.ts|src/store\\.ts)',
    ),
    only(
      'sockets-only-at-the-edges',
      'node_modules/(socket\\.io|socket\\.io-client|@nestjs/websockets|@nestjs/platform-socket\\.io)/',
      '^(src/doors|libs/feed-client)/',
    ),
    only(
      'otel-sdk-only-in-telemetry',
      'node_modules/(@opentelemetry/(?!api/)|import-in-the-middle)',
      '^src/telemetry(\\.ts|/)',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.json'],
    },
  },
};
