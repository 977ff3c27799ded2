import { expect } from 'chai';
import { podsOf } from '../platform/addresses/addresses-file.ts';
import { podAsSeen, threeRegions } from '../platform/local/topology.ts';
import { regionOfAddress } from './endpoints.ts';

describe('region of an address that answered a client', () => {
  it('is known of both addresses of an API, and of nothing that never answers a client', () => {
    const regions = regionOfAddress(threeRegions().pods.map((pod) => podAsSeen(pod, 'Running')));
    expect(regions).to.include({ '10.77.3.10': 'europe-west1', 'fd77::3:10': 'europe-west1' });
    expect(Object.keys(regions)).to.have.length(6);
  });

  it('is that of the API, whatever else is on its host', () => {
    const region = (number: number) => ({
      api: `10.0.${number}.10`,
      database: `10.0.${number}.11`,
      controller: `10.0.${number}.12`,
    });
    const pods = podsOf({
      file: 'system.yaml',
      regions: { a: region(1), b: region(2) },
      authority: '10.0.1.10',
      clients: { a: { resolver: '10.0.1.10' }, b: { resolver: '10.0.1.10' }, outside: { resolver: '10.0.2.10' } },
      credentials: '/nowhere',
    });
    expect(regionOfAddress(pods)).to.deep.equal({ '10.0.1.10': 'a', '10.0.2.10': 'b' });
  });
});
