// Who may import what, each rule with its reason. `npm run arch` runs it, and plants a violation of every rule
// in a scratch project first, to prove that each one still fires (scripts/architecture.mjs).

const TEST = '\\.test\\.ts$';

// Everything else of Node (path, url, crypto, util, events, stream, buffer, assert, zlib, string_decoder) touches nothing outside the process.
const OUTSIDE_WORLD =
  '^(node:)?(fs|fs/promises|net|tls|http|https|http2|dgram|dns|dns/promises|child_process|os|process|timers|timers/promises|worker_threads|readline|readline/promises|tty)$';

// Files that act on the world. All others are decisions: values in, values out.
const ACTS = [
  '^(src|harness)/main\\.ts$',
  '^(src|harness)/platform/',
  '^src/(server|api|health/probes|replication|telemetry)',
  '^src/config/load',
  '^src/database/lmdb',
  '^src/foundationdb/(client|cluster-file)',
  '^src/commands/set-up-foundationdb',
  '^src/foundationdb/log/(capture-folder|backup-agent|open)',
  '^src/foundationdb/region-step',
  '^src/objectstore/(folder-store|gcs)',
  '^src/keys/(key-line-file|cloud)',
  // Threads, and key files.
  '^src/backup/(pipeline/(pack-worker|worker-pool)|restore/|repository/access)',
  '^src/commands/backup-',
  // The simulator takes Node's timers away from the programs that it runs, and runs them in threads.
  '^src/simulation/(pool|worker|http|stand-ins)',
  '/testing/',
  '^src/arbiter/etcd',
  '^src/dns/(rfc2136|cloud-dns)',
  '^src/kubernetes/probe-server',
  '^harness/(workload|engine|bench|commands)/',
  '^harness/(gameday|cli|launch)',
  '^harness/scenario/load',
  '^harness/fault/load',
  // node:net for isIP and BlockList only, which touch nothing.
  '^harness/fault/(external-target|kinds/network-partition)',
  '^harness/history/(recorder|reader)',
  '^harness/report/(write|terminal)',
  '^scenarios/',
  TEST,
];

// A later stage knows the earlier ones, never the other way round, and none of them knows how a run is made.
const CHAIN = ['history', 'measure', 'check', 'report'];
const laterThan = (stage) => CHAIN.slice(CHAIN.indexOf(stage) + 1).join('|');

/** Only these folders may know the package; whoever else needs it asks them. */
const onlyFrom = (sdk, folders, why) => ({
  name: `only-from-its-folder-${sdk.replaceAll(/[^a-z0-9]+/g, '-').replace(/^-/, '')}`,
  comment: why,
  severity: 'error',
  // Known-bad engines and servers started by tests are programs of their own.
  from: { path: '^(src|harness|scenarios)/', pathNot: [...folders, '^(src|harness)/testing/', TEST] },
  to: { path: `(^|/)node_modules/${sdk}/` },
});

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule(
      'wall-harness',
      'The harness knows the engine as a program. What it imported from it, it could not judge.',
      { path: '^(harness|scenarios)/' },
      { path: '^src/' },
    ),
    rule('wall-src', 'The engine knows nothing of how it is tested.', { path: '^src/' }, { path: '^(harness|scenarios)/' }),
    rule('no-cycles', 'Two files that need each other are one idea in two places.', {}, { circular: true }),
    rule('no-barrels', 'An index.ts hides where things live.', {}, { path: '/index\\.ts$', pathNot: 'node_modules' }),
    rule('no-test-imports', 'A test file is run, never imported.', {}, { path: TEST }),
    rule(
      'not-resolvable',
      'An import that is not there; the compiler would say it too, this says it of JavaScript as well. Scripts for k6 get k6/… from it.',
      {},
      { couldNotResolve: true, pathNot: '^k6/' },
    ),
    rule(
      'no-dev-packages-in-programs',
      'What runs in a system under test is installed with it.',
      { path: '^(src|harness)/', pathNot: [TEST, '/conformance\\.ts$', '^harness/testing/'] },
      { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    ),
    rule(
      'outside-world-only-where-listed',
      'Decisions are pure, effects thin: files, sockets, processes and timers only in the files listed as ACTS.',
      { path: '^(src|harness)/', pathNot: ACTS },
      { path: OUTSIDE_WORLD, dependencyTypes: ['core'] },
    ),
    rule(
      'platform-is-below-everything-src',
      'platform/ is what every part stands on, so it stands on nothing of ours.',
      { path: '^src/platform/', pathNot: TEST },
      { path: '^src/', pathNot: '^src/platform/' },
    ),
    ...['measure', 'check', 'report'].map((stage) =>
      rule(
        `judging-is-pure-${stage}`,
        'Measuring, checking and reporting are functions of the scenario and the recorded events; a saved run must judge the same anywhere.',
        { path: `^harness/${stage}/`, pathNot: TEST },
        { path: '^harness/(platform/local|workload|engine|bench)/|^harness/(gameday|registry|main)\\.ts$' },
      ),
    ),
    ...['history', 'measure', 'check'].map((stage) =>
      rule(
        `chain-${stage}`,
        'scenario, fault → history → measure → check → report: never back.',
        { path: `^harness/${stage}/`, pathNot: TEST },
        { path: `^harness/(${laterThan(stage)})/` },
      ),
    ),
    rule(
      'chain-scenario-fault',
      'scenario, fault → history → measure → check → report: a fault that knew how it is measured could please it. They may use the types of events.',
      { path: '^harness/(scenario|fault)/', pathNot: TEST },
      { path: '^harness/(measure|check|report)/|^harness/history/(?!event\\.ts)' },
    ),
    rule(
      'conformance-only-in-tests',
      'A conformance suite is a test that every adapter runs.',
      { path: '^(src|harness)/', pathNot: [TEST, '/conformance\\.ts$'] },
      { path: '/conformance\\.ts$' },
    ),
    rule(
      'testing-only-in-tests',
      'Known-bad engines and calibration devices are never part of a run; only tests, benches and the calibrate command start them.',
      { path: '^harness/', pathNot: [TEST, '^harness/(testing|bench)/', '^harness/(main|cli|gameday)\\.ts$', '^harness/commands/'] },
      { path: '^harness/testing/' },
    ),
    onlyFrom('lmdb', ['^src/database/'], 'The embedded database is one adapter; nothing else may depend on what it is made of.'),
    onlyFrom('undici', ['^src/(platform|arbiter)/', '^harness/platform/'], 'One HTTPS client per side, with its limits and identities.'),
    onlyFrom(
      'dns-packet',
      ['^src/(dns|testing)/', '^harness/workload/'],
      'The wire format of DNS is known to the provider and to the vantage that resolves for itself.',
    ),
    onlyFrom(
      'yaml',
      ['^src/config/', '^harness/(scenario|fault|platform)/'],
      'YAML comes in through the decoders that say file:line:column.',
    ),
    onlyFrom('@kubernetes/client-node', ['^src/kubernetes/', '^harness/platform/kubernetes/'], 'One folder per side speaks to a cluster.'),
    onlyFrom('@google-cloud/storage', ['^src/objectstore/'], 'One object store adapter.'),
    onlyFrom('@google-cloud/dns', ['^src/dns/'], 'One DNS adapter.'),
    onlyFrom('foundationdb', ['^src/foundationdb/'], 'One adapter; the client has one network thread per process.'),
    onlyFrom('pino', ['^src/telemetry/'], 'One log, with fixed field names.'),
    onlyFrom('prom-client', ['^src/(telemetry|server|api)/'], 'One registry of metrics.'),
    onlyFrom(
      'commander',
      ['^(src|harness)/(cli|cli-[a-z]+|main)\\.ts$', '^harness/bench/main\\.ts$'],
      'argv is read in one place per program.',
    ),
    onlyFrom('allure-js-commons', ['^harness/report/'], 'Allure is one of the report formats.'),
  ],
  options: {
    // Without @swc/core and this line it would see 0 modules and pass (TypeScript 7 has no compiler API).
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^dist/', '^reports/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
