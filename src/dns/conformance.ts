import { expect } from 'chai';
import type { DnsProvider, PublishedRoute } from './dns.ts';

const CENTRAL: PublishedRoute = { epoch: 1, region: 'us-central1', addresses: ['10.77.1.10', 'fd77::1:10'] };
const EAST: PublishedRoute = { epoch: 2, region: 'us-east1', addresses: ['10.77.2.10', 'fd77::2:10'] };
const EUROPE: PublishedRoute = { epoch: 2, region: 'europe-west1', addresses: ['10.77.3.10'] };

/** What every DnsProvider must do, told on one zone that is empty at first. */
export function dnsConformance(name: string, open: () => Promise<DnsProvider>): void {
  describe(`${name} is a DnsProvider`, () => {
    let provider: DnsProvider;
    before(async () => (provider = await open()));
    after(() => provider?.close());
    const readSorted = async (): Promise<PublishedRoute | null> => {
      const route = await provider.read();
      return route && { ...route, addresses: [...route.addresses].toSorted() };
    };

    it('reads a name without a route as null', async () => {
      expect(await provider.read()).to.equal(null);
    });

    it('publishes both families and reads them back', async () => {
      expect(await provider.publish(CENTRAL)).to.deep.equal({ ok: true, changed: true });
      expect(await readSorted()).to.deep.equal(CENTRAL);
    });

    it('changes nothing when asked for what is there', async () => {
      expect(await provider.publish(CENTRAL)).to.deep.equal({ ok: true, changed: false });
    });

    it('lets one of two regions have an epoch, when both ask at once', async () => {
      const results = await Promise.all([provider.publish(EAST), provider.publish(EUROPE)]);
      expect(results.filter((result) => result.ok)).to.have.length(1);
      expect(await readSorted()).to.deep.equal(results[0].ok ? EAST : EUROPE);
    });

    it('never lets a lower epoch overwrite', async () => {
      const published = await readSorted();
      expect(await provider.publish(CENTRAL)).to.have.property('reason', 'superseded');
      expect(await readSorted()).to.deep.equal(published);
    });

    it('replaces every address, also where the new region has fewer families', async () => {
      expect(await provider.publish({ ...EUROPE, epoch: 3 })).to.deep.equal({ ok: true, changed: true });
      expect(await readSorted()).to.deep.equal({ ...EUROPE, epoch: 3 });
    });

    it('corrects addresses within its own epoch', async () => {
      const moved = { ...EUROPE, epoch: 3, addresses: ['10.77.3.11'] };
      expect(await provider.publish(moved)).to.deep.equal({ ok: true, changed: true });
      expect(await readSorted()).to.deep.equal(moved);
    });

    it('gives its own route another time to live, if it can, and no other one', async () => {
      const published = await readSorted();
      await provider.setTtl?.({ epoch: 3, region: EUROPE.region }, 0);
      await provider.setTtl?.({ epoch: 2, region: EUROPE.region }, 5);
      await provider.setTtl?.({ epoch: 3, region: EAST.region }, 5);
      expect(await readSorted()).to.deep.equal(published);
      expect(await provider.publish({ ...EAST, epoch: 4 })).to.deep.equal({ ok: true, changed: true });
    });
  });
}
