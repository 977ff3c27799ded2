import { expect } from 'chai';
import type { Arbiter, Lease, Snapshot } from './arbiter.ts';

export interface ArbiterFixture {
  /** A new client of one and the same empty store. */
  open(): Arbiter;
}

const lease = (incarnation: string, seq: number, epoch = 1): Lease => ({ epoch, holder: 'us-central1', incarnation, seq });

/** What every Arbiter must do. The store is emptied by nobody: the suite's cases follow each other on one store. */
export function arbiterConformance(name: string, makeFixture: () => Promise<ArbiterFixture>): void {
  describe(`${name} is an Arbiter`, () => {
    const opened: Arbiter[] = [];
    let fixture: ArbiterFixture;
    let arbiter: Arbiter;
    const open = (): Arbiter => {
      const another = fixture.open();
      opened.push(another);
      return another;
    };
    before(async () => {
      fixture = await makeFixture();
      arbiter = open();
    });
    after(() => Promise.all(opened.map((each) => each.close())));

    it('reads absence as null', async () => {
      expect(await arbiter.read()).to.include({ lease: null, replication: null, failover: null, leader: null, backup: null });
    });

    it('creates once, and tells the second what is there', async () => {
      const created = await arbiter.cas('lease', null, lease('a', 0));
      expect(created.ok).to.equal(true);
      const refused = await arbiter.cas('lease', null, lease('b', 0));
      expect(refused).to.deep.equal({
        ok: false,
        reason: 'conflict',
        current: { value: lease('a', 0), revision: created.ok ? created.revision : -1 },
      });
    });

    it('writes at the named revision only, and revisions grow', async () => {
      const { lease: held } = await arbiter.read();
      const first = held?.revision as number;
      const written = await arbiter.cas('lease', first, lease('a', 1));
      expect(written.ok && written.revision).to.be.greaterThan(first);
      expect(await arbiter.cas('lease', first, lease('b', 1))).to.include({ ok: false, reason: 'conflict' });
      expect((await arbiter.read()).lease?.value.seq).to.equal(1);
    });

    it('refuses to write at a revision where there is nothing', async () => {
      const result = await arbiter.cas('leader', 1, { region: 'us-east1', incarnation: 'a', seq: 0 });
      expect(result).to.deep.equal({ ok: false, reason: 'conflict', current: null });
    });

    it('says ok when asked again for the write that it had carried out', async () => {
      const { lease: held } = await arbiter.read();
      const once = await arbiter.cas('lease', held?.revision as number, lease('a', 2));
      const again = await arbiter.cas('lease', held?.revision as number, lease('a', 2));
      expect(again).to.deep.equal(once);
    });

    it('lets one of twenty racers win', async () => {
      const { lease: held } = await arbiter.read();
      const racers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => open().cas('lease', held?.revision as number, lease(`racer-${i}`, 0, 2))),
      );
      expect(racers.filter((result) => result.ok)).to.have.length(1);
      const winner = racers.findIndex((result) => result.ok);
      expect((await arbiter.read()).lease?.value.incarnation).to.equal(`racer-${winner}`);
    });

    it('keeps records apart', async () => {
      const before = await arbiter.read();
      await arbiter.cas('replication', null, { epoch: 2, mode: 'sync', set: ['us-east1'], w: 1 });
      const after = await arbiter.read();
      expect(after.lease).to.deep.equal(before.lease);
      expect(after.replication?.value.set).to.deep.equal(['us-east1']);
    });

    it('shows a watcher what is there and then every last state, revisions only growing', async () => {
      const seen: Snapshot[] = [];
      const ending = new AbortController();
      const watching = open().watch((snapshot) => seen.push(snapshot), ending.signal);
      for (let seq = 100; seq < 120; seq++) {
        const { lease: held } = await arbiter.read();
        expect((await arbiter.cas('lease', held?.revision as number, lease('w', seq, 2))).ok).to.equal(true);
      }
      while (seen.at(-1)?.lease?.value.seq !== 119) await new Promise((resolve) => setTimeout(resolve, 5));
      ending.abort();
      await watching;
      const revisions = seen.map((snapshot) => snapshot.revision);
      expect(revisions).to.deep.equal([...new Set(revisions)].toSorted((a, b) => a - b));
      expect(seen.at(-1)?.replication?.value.set).to.deep.equal(['us-east1']);
    });
  });
}
