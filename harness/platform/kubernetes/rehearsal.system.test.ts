import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scriptedApiServer } from '../../testing/scripted-api-server.ts';
import { HarnessError } from '../errors.ts';
import type { Experiment, RunContext } from '../platform.ts';
import { makeIdentities } from './containerless/identities.ts';
import { KubeClient } from './kube-client.ts';
import { KubeInjection } from './kube-injection.ts';
import { rehearse } from './rehearsal.ts';

const place = { apiVersion: 'chaos-mesh.org/v1alpha1', resource: 'dnschaos', namespace: 'shop', name: 'mute' };
const document = {
  apiVersion: place.apiVersion,
  kind: 'DNSChaos',
  metadata: { name: 'mute' },
  spec: { action: 'error', mode: 'all', selector: {} },
};
const rest = { fault: 'mute', kind: 'DNSChaos', namespace: 'shop', name: 'mute', mode: 'all', opaque: true, narrowed: false };
const experiment: Experiment = { ...rest, document, sources: ['a'], targets: [], namespaceOf: { a: 'shop' } };

interface Answer {
  readonly status: number;
  readonly body: object;
}

describe('a dry run of what only a cluster can judge', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'rehearsal-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What becomes of a dry run, and of an injection, on a server that answers so; and what both asked of it. */
  async function tried(answer: Answer): Promise<{ readonly dry: unknown; readonly injected: unknown; readonly asked: readonly string[] }> {
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    const asked: string[] = [];
    const server = await scriptedApiServer({ folder, identities, user: 'gameday' }, (request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'https://cluster');
      asked.push(`${request.method} dryRun=${searchParams.get('dryRun')} fieldValidation=${searchParams.get('fieldValidation')}`);
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
    const client = await KubeClient.open(server.kubeconfig, 'a');
    const clusters = { placeOf: () => ({ client, place }) };
    const context: RunContext = { nowMs: () => performance.now(), record: () => undefined, runFolder: folder, seed: 1 };
    const injection = new KubeInjection([experiment], clusters, context, 'run');
    const outcome = (of: Promise<unknown>): Promise<unknown> => of.then(() => 'taken').catch((error: unknown) => error);
    try {
      const dry = await outcome(rehearse(experiment, clusters, 'run', AbortSignal.timeout(10_000)));
      const injected = dry === 'taken' ? undefined : await outcome(injection.apply(AbortSignal.timeout(10_000)));
      return { dry, injected, asked };
    } finally {
      await injection.close();
      server.close();
    }
  }
  const DRY = 'PATCH dryRun=All fieldValidation=Strict';

  it('is strict, and what it takes is taken', async () => {
    const { dry, asked } = await tried({
      status: 200,
      body: { ...document, spec: { ...document.spec, selector: { namespaces: ['shop'] } } },
    });
    expect(dry).to.equal('taken');
    expect(asked).to.deep.equal([DRY]);
  });

  for (const [what, answer] of [
    ['a value that no action has', { status: 422, body: { message: 'spec.action: Unsupported value: "error"' } }],
    [
      'a field that it does not know',
      { status: 500, body: { message: 'failed to create typed patch object: .spec.x: field not declared in schema' } },
    ],
    ['a webhook that refuses', { status: 403, body: { message: 'admission webhook denied the request' } }],
  ] as const)
    it(`${what}: bad input, in the cluster’s words, and nothing is applied or journalled`, async () => {
      const { dry, injected, asked } = await tried(answer);
      for (const error of [dry, injected]) {
        expect(error).to.be.instanceOf(HarnessError).with.property('code', 'bad-input');
        expect((error as Error).message).to.include(answer.body.message);
      }
      expect(asked).to.deep.equal([DRY, DRY]);
      expect(existsSync(path.join(folder, 'undo.ndjson'))).to.equal(false);
    });

  it('a server that cannot say is no refusal of the document', async () => {
    const { dry } = await tried({ status: 503, body: { message: 'etcd is away' } });
    expect(dry).to.be.instanceOf(HarnessError).with.property('code', 'cluster-failed');
  });

  it('what admission makes of it may reach no further', async () => {
    const spec = { ...document.spec, selector: { namespaces: ['shop', 'payments'] } };
    const { dry, asked } = await tried({ status: 200, body: { ...document, spec } });
    expect((dry as Error).message).to.include('reach into payments');
    expect(asked).to.deep.equal([DRY, DRY]);
  });
});
