import { expect } from 'chai';
import { EngineError } from '../platform/errors.ts';
import { decodeConfig } from './load.ts';

const GCS = 'arbiter: { kind: gcs, bucket: coditect-arbiter, prefix: coditect-dr/ }';
const GOOD = `region: us-east1
primary_region: us-central1
standby_regions: [us-east1]
rpo_seconds: 5
rto_seconds: 10
backup_retention_days: 30
policy: lab
replication: sync
listen: { host: 127.0.0.1, port: 7443 }
regions:
  us-central1: { api: 'https://127.0.0.1:1', database: 'https://127.0.0.1:2', controller: 'https://127.0.0.1:3', addresses: [127.0.0.1] }
  us-east1: { api: 'https://127.0.0.1:4', database: 'https://127.0.0.1:5', controller: 'https://127.0.0.1:6', addresses: [127.0.0.1] }
arbiter: { kind: etcd, endpoints: ['https://127.0.0.1:2379'], prefix: /coditect-dr/ }
dns: { kind: rfc2136, server: 127.0.0.1, port: 53, zone: coditect.test., name: api.coditect.test., ttl_seconds: 1, tsig: { name: coditect-dr., algorithm: hmac-sha256, secret_file: secrets/tsig } }
tls: { ca: tls/ca.crt, cert: tls/tls.crt, key: tls/tls.key }
`;

function problemsOf(text: string, environment: Record<string, string> = {}): readonly string[] {
  try {
    decodeConfig(text, 'c.yaml', environment);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'bad-config') return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('engine configuration', () => {
  it('takes a good file', () => {
    expect(decodeConfig(GOOD, 'c.yaml').policy.leaseMs).to.equal(1500);
  });
  it('names every problem at once with file, line and column', () => {
    const bad = GOOD.replace('rpo_seconds: 5', 'rpo_seconds: -1').replace('replication: sync', 'replication: maybe\ncolour: red');
    const found = problemsOf(bad);
    expect(found.map((line) => line.split(': ').slice(0, 2).join(': '))).to.have.members([
      'c.yaml:4:14: rpo_seconds',
      'c.yaml:8:14: replication',
      'c.yaml:9:9: colour',
    ]);
  });
  for (const [what, from, to, complaint] of [
    ['is missing', 'rpo_seconds: 5\n', '', 'c.yaml:1:1: rpo_seconds: is missing: it must be a number'],
    ['is of another type', 'rpo_seconds: 5', 'rpo_seconds: 5s', 'c.yaml:4:14: rpo_seconds: must be a number; this is "5s"'],
    ['is too small', 'rto_seconds: 10', 'rto_seconds: 0', 'c.yaml:5:14: rto_seconds: must be more than 0; this is 0'],
    ['is not one of those there are', ': sync', ': maybe', 'c.yaml:8:14: replication: must be one of sync, async; this is "maybe"'],
    ['is of an unknown kind', 'kind: etcd', 'kind: zookeeper', 'c.yaml:13:18: arbiter.kind: must be one of etcd, gcs; this is "zookeeper"'],
    ['is no preset', ': lab', ': fast', 'c.yaml:7:9: policy: must be one of lab, production, or a map of settings; this is "fast"'],
    [
      'is within one of two shapes',
      ': lab',
      ': { preset: lab, leaseMs: long }',
      'c.yaml:7:33: policy.leaseMs: must be a number; this is "long"',
    ],
    [
      'is no URL',
      "'https://127.0.0.1:1'",
      "'http://127.0.0.1:1'",
      'c.yaml:11:23: regions.us-central1.api: must be a URL that begins with https://; this is "http://127.0.0.1:1"',
    ],
    [
      'is no address',
      'addresses: [127.0.0.1] }',
      'addresses: [here] }',
      'c.yaml:11:126: regions.us-central1.addresses.0: must be an IPv4 address, or an IPv6 address; this is "here"',
    ],
    ['is no number at all', 'rpo_seconds: 5', 'rpo_seconds: .nan', 'c.yaml:4:14: rpo_seconds: must be a number; this is NaN'],
    [
      'is a time above which a timer would fire at once',
      ': lab',
      ': { preset: lab, stepTimeoutMs: 3000000000 }',
      'c.yaml:7:39: policy.stepTimeoutMs: must be at most 2147483647; this is 3000000000',
    ],
    [
      'is a retention to which no date comes',
      '_days: 30',
      '_days: 1e300',
      'c.yaml:6:24: backup_retention_days: must be at most 36500; this is 1e+300',
    ],
    [
      'is the database of another region: one copy would count for two',
      '127.0.0.1:5',
      'LOCALHOST:2/'.replace('LOCALHOST', '127.0.0.1'),
      'c.yaml:12:53: regions.us-east1.database: is that of us-central1 as well; each region has its own',
    ],
    [
      'is the controller of another region: one observer would count for two',
      '127.0.0.1:6',
      '127.0.0.1:3',
      'c.yaml:12:88: regions.us-east1.controller: is that of us-central1 as well; each region has its own',
    ],
    [
      'is a name that its zone has not: no failover could change it',
      'name: api.coditect.test.',
      'name: api.example.',
      'c.yaml:14:80: dns.name: api.example. is not in the zone coditect.test.: no failover could change it',
    ],
    ['is an empty list', 'standby_regions: [us-east1]', 'standby_regions: []', 'c.yaml:3:18: standby_regions: must have at least 1 entry'],
    ['has no such name', 'listen: {', 'listen: { prot: 1,', 'c.yaml:9:17: listen.prot: no such setting; there are host, port'],
  ] as const)
    it(`says what to write where a setting ${what}`, () => expect(problemsOf(GOOD.replace(from, to))).to.deep.equal([complaint]));
  it('places every setting that there is not', () => {
    expect(
      problemsOf(GOOD.replace('listen: {', 'listen: { prot: 1, hots: 2,')).map((line) => line.split(': ').slice(0, 2).join(': ')),
    ).to.deep.equal(['c.yaml:9:17: listen.prot', 'c.yaml:9:26: listen.hots']);
  });
  it('places a broken YAML document, in a line without what is meant for programmers', () => {
    expect(problemsOf('region: [a')[0]).to.match(/^c\.yaml:1:\d+: /);
    expect(problemsOf('region: a\nregion: b')).to.deep.equal(['c.yaml:2:1: Map keys must be unique']);
    expect(problemsOf(`${GOOD}---\nregion: a\n`)).to.deep.equal(['c.yaml:16:1: only one document is allowed in this file']);
  });
  it('places what is nested too deeply for the parser', () => {
    // Mocha wants whole stacks: the parser catches an overflow a thousand times over, and on a busy machine their frames took longer than a test may.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      const deep = problemsOf('['.repeat(100_000));
      expect(deep).to.have.lengthOf(1);
      expect(deep[0]).to.match(/^c\.yaml:1:\d+: nested too deeply/);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
  it('names a region that is not under regions', () => {
    expect(problemsOf(GOOD.replace('standby_regions: [us-east1]', 'standby_regions: [mars]'))[0]).to.match(/^c\.yaml:3:19: .*mars/);
  });
  it('lays the environment over the file: nested, lists, numbers of the policy', () => {
    const config = decodeConfig(GOOD, 'c.yaml', {
      CODITECT_DR_LISTEN_PORT: '8000',
      CODITECT_DR_ARBITER_ENDPOINTS: 'https://127.0.0.1:5,https://127.0.0.1:6',
      CODITECT_DR_POLICY_PROBE_PERIOD_MS: '50',
      CODITECT_DR_REGIONS_US_EAST1_API: 'https://127.0.0.1:9',
      PATH: '/bin',
    });
    expect(config.listen.port).to.equal(8000);
    expect(config.arbiter).to.have.property('endpoints').with.length(2);
    expect(config.policy).to.include({ probePeriodMs: 50, leaseMs: 1500 });
    expect(config.regions['us-east1']?.api).to.equal('https://127.0.0.1:9');
  });
  it('blames the environment for its own bad values and unknown names', () => {
    expect(problemsOf(GOOD, { CODITECT_DR_LISTEN_PORT: 'x' })[0]).to.match(/^environment CODITECT_DR_LISTEN_PORT: /);
    expect(problemsOf(GOOD, { CODITECT_DR_LISTEN_PROT: '1' })).to.deep.equal(['environment CODITECT_DR_LISTEN_PROT: no such setting']);
  });
  it('refuses a time to live that a planned move could not wait out', () => {
    expect(problemsOf(GOOD.replace(/ttl_seconds: \d+/, 'ttl_seconds: 10')).join()).to.match(
      /c\.yaml:\d+:\d+: dns\.ttl_seconds: 10 s is not below prepareMs/,
    );
  });

  it('takes one address of a controller, or those of all of a region', () => {
    const both = GOOD.replace("controller: 'https://127.0.0.1:6'", "controller: ['https://127.0.0.1:6', 'https://127.0.0.1:7']");
    const { regions } = decodeConfig(both, 'c.yaml');
    expect(regions['us-central1']?.controller).to.deep.equal(['https://127.0.0.1:3']);
    expect(regions['us-east1']?.controller).to.deep.equal(['https://127.0.0.1:6', 'https://127.0.0.1:7']);
  });

  it('refuses a policy whose numbers cannot keep the lease', () => {
    expect(problemsOf(GOOD.replace('policy: lab', 'policy: { preset: lab, holderStopsMs: 1600 }')).join()).to.match(
      /holderStopsMs must be below leaseMs/,
    );
  });
  it('takes the Google adapters with the production policy, and the environment for their settings', () => {
    const google = GOOD.replace(/^arbiter: .*$/m, GCS)
      .replace(/^dns: .*$/m, 'dns: { kind: cloud-dns, managed_zone: coditect-test, name: api.coditect.test., ttl_seconds: 30 }')
      .replace('policy: lab', 'policy: production');
    const environment = { CODITECT_DR_ARBITER_BUCKET: 'another', CODITECT_DR_DNS_MANAGED_ZONE: 'other' };
    const config = decodeConfig(google, 'c.yaml', environment);
    expect(config.arbiter).to.deep.equal({ kind: 'gcs', bucket: 'another', prefix: 'coditect-dr/' });
    expect(config.dns).to.include({ kind: 'cloud-dns', managed_zone: 'other' });
    expect(problemsOf(google.replace('prefix: coditect-dr/', 'prefix: /coditect-dr/'))[0]).to.match(/^c\.yaml:13:57: arbiter\.prefix/);
  });
  it('refuses periods that a bucket cannot keep, and says which arbiter can', () => {
    const found = problemsOf(GOOD.replace(/^arbiter: .*$/m, GCS));
    expect(found).to.have.length(3);
    expect(found[0]).to.match(/^c\.yaml:7:9: policy: leaseRenewMs is 200.*at least 1000.*kind etcd$/);
    expect(found[1]).to.match(/leaderRenewMs is 200/);
    expect(found[2]).to.match(/holderStopsMs with arbiter kind gcs/);
  });
});
