import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadForSystem } from '../../commands/scenarios.ts';
import { notPossible } from '../../commands/system-may.ts';
import { readSystemFile, type SystemFile } from '../../platform/kubernetes/system-file.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const text = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
/** A list of scripts/kind. */
const listed = (name: string): readonly string[] =>
  (new RegExp(`^${name}=\\((.*)\\)$`, 'm').exec(text('scripts/kind'))?.[1] ?? '').split(' ');

describe('the system of deploy/kind', () => {
  let folder: string;
  let system: SystemFile;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kind-'));
    const { status, stderr } = spawnSync(path.join(ROOT, 'scripts/kind'), ['system'], {
      encoding: 'utf8',
      env: { ...process.env, KIND_WORK: folder },
    });
    expect(status, stderr).to.equal(0);
    mkdirSync(path.join(folder, 'client'));
    for (const file of ['ca.crt', 'tls.crt', 'tls.key']) writeFileSync(path.join(folder, 'client', file), ''); // scripts/kind secrets makes them
    system = readSystemFile(path.join(folder, 'system.yaml'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is one that a game day takes; its probes are an image that the nodes are given, with the program in it', () => {
    expect(Object.keys(system.regions)).to.deep.equal(listed('regions'));
    expect(listed('images')).to.include(system.probes?.image);
    const [node, program = ''] = system.probes?.command ?? [];
    expect(node).to.equal('/nodejs/bin/node');
    expect(text('deploy/Dockerfile')).to.include(path.posix.dirname(program));
  });

  it('lets the probes’ port through between the pods of its namespace, and nothing else', () => {
    const policy = parse(text('deploy/kind/services/probes.yaml')) as { readonly metadata: object; readonly spec: object };
    const ports = [{ protocol: 'UDP', port: system.probes?.port }];
    const all = [{ podSelector: {} }];
    expect(policy.metadata).to.include({ namespace: system.namespaces[0] });
    expect(policy.spec).to.deep.equal({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: all, ports }],
      egress: [{ to: all, ports }],
    });
  });

  it('is measured where the primary region’s service is let out of the cluster', () => {
    const [node] = (
      parse(text('deploy/kind/cluster.yaml')) as { nodes: { labels?: object; extraPortMappings?: { hostPort: number }[] }[] }
    ).nodes.filter(({ extraPortMappings }) => extraPortMappings !== undefined);
    expect(node?.labels).to.deep.equal({ 'topology.kubernetes.io/region': 'us-central1' });
    expect(Object.values(system.service?.clients ?? {})).to.deep.equal([`https://127.0.0.1:${node?.extraPortMappings?.[0]?.hostPort}`]);
    expect(text('deploy/kind/region/kustomization.yaml')).to.include('value: 3020NUMBER');
  });

  it('can be asked everything that the scenarios played there ask', () => {
    const { service, file } = system;
    const clients = Object.keys(service?.clients ?? {});
    const files = listed('played').map((one) => path.join(ROOT, one));
    const loaded = loadForSystem(files, undefined, clients);
    expect(loaded).to.have.length(files.length).and.to.have.length.greaterThan(1);
    expect(notPossible({ file, clients, faults: true, service }, loaded)).to.deep.equal([]);
  });
});
