import { expect } from 'chai';
import type { EngineConfig } from './config/config.ts';
import { OBJECT_WRITES_APART_MS } from './config/policy.ts';
import { StrictCloudDns } from './dns/testing/strict-cloud-dns.ts';
import { findFakeGcs, startFakeGcs } from './objectstore/testing/fake-gcs.ts';
import { StrictGcs } from './objectstore/testing/strict-gcs.ts';
import { EngineCluster } from './testing/engine-cluster.ts';
import { Operator } from './testing/engine-operator.ts';
import { PATIENT_WITH_A_BUCKET, REGIONS } from './testing/test-config.ts';

const [CENTRAL] = REGIONS;
const NAME = 'api.coditect.test.';

interface Bucket {
  readonly endpoint: string;
  readonly bucket: string;
  stop(): Promise<void>;
}

const fakePath = findFakeGcs();

async function startFakeBucket(): Promise<Bucket> {
  const server = await startFakeGcs(fakePath ?? '');
  return { endpoint: server.endpoint, bucket: await server.newBucket(), stop: () => server.stop() };
}

/** Refuses what comes faster than Google's bucket takes it. */
async function startStrictBucket(): Promise<Bucket> {
  const gcs = new StrictGcs();
  gcs.updatesApartMs = OBJECT_WRITES_APART_MS;
  await gcs.start();
  return { endpoint: gcs.endpoint, bucket: 'test', stop: () => gcs.stop() };
}

const FAKE = `fake-gcs-server${fakePath === undefined ? ', skipped: it is neither on PATH nor in GOPATH/bin' : ''}`;

engineOnGoogle('our strict server', startStrictBucket);
engineOnGoogle(FAKE, fakePath === undefined ? null : startFakeBucket);

function engineOnGoogle(where: string, startBucket: (() => Promise<Bucket>) | null): void {
  describe(`the whole engine with its arbiter in a bucket of ${where} and its name in Cloud DNS`, () => {
    const dns = new StrictCloudDns();
    let bucket: Bucket;
    let operator: Operator;

    before(async function () {
      if (startBucket === null) return this.skip();
      bucket = await startBucket();
      await dns.start();
      const arbiter: EngineConfig['arbiter'] = { kind: 'gcs', bucket: bucket.bucket, prefix: 'coditect-dr/', endpoint: bucket.endpoint };
      const { project, managedZone, endpoint } = dns;
      const zone: EngineConfig['dns'] = { kind: 'cloud-dns', project, managed_zone: managedZone, name: NAME, ttl_seconds: 1, endpoint };
      operator = new Operator(await EngineCluster.prepare('sync', PATIENT_WITH_A_BUCKET, { arbiter, dns: zone }));
      operator.cluster.startAll();
      await operator.untilNormal();
    });
    afterEach(function () {
      if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
    });
    after(async () => {
      await operator?.cluster.stop();
      await Promise.all([bucket?.stop(), dns.stop()]);
    });

    const published = (): readonly string[] => dns.recordsOf(NAME).flatMap(({ rrdatas }) => rrdatas);

    it('fails over once when the primary stops, moves the name, and loses nothing', async () => {
      const { cluster } = operator;
      // Where all programs start at once on a busy machine the first primary may have lost its lease and taken another epoch.
      const { epoch } = await operator.untilNormal();
      const first = await cluster.until(
        'published',
        () => Promise.resolve(published()),
        (seen) => seen.some((text) => text.includes(`epoch=${epoch} `)),
      );
      expect(first).to.have.members(['127.0.1.1', 'fd77::1:10', `"epoch=${epoch} region=us-central1"`]);
      await operator.writeMany(CENTRAL, 'before');
      const since = operator.mark;
      cluster.signal('database', CENTRAL, 'SIGSTOP');
      const next = await operator.untilMoved(CENTRAL);
      await operator.untilSaid(since, 'failover_complete');
      const number = REGIONS.indexOf(next) + 1;
      expect(published()).to.have.members([`127.0.1.${number}`, `fd77::${number}:10`, `"epoch=${epoch + 1} region=${next}"`]);
      await operator.writeMany(next, 'after');
      cluster.signal('database', CENTRAL, 'SIGCONT');
      expect(await operator.write(CENTRAL, 'stale')).to.equal(503);
      expect(await operator.untilNormal()).to.include({ primary: next, epoch: epoch + 1 });
      for (const region of REGIONS) await operator.expectNothingLost(region);
      expect(operator.said(since).filter((action) => action === 'failover_initiated')).to.have.length(1);
    });
  });
}
