import { expect } from 'chai';
import { kubernetesConfigShape } from './config.ts';

const problemsOf = (given: object): readonly string[] =>
  (kubernetesConfigShape.safeParse({ namespace: 'coditect', pod: 'dr-controller-0', ...given }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

describe('configuration of a controller in a cluster', () => {
  it('refuses a Lease that is renewed more seldom than it lasts: two controllers would take it from each other for ever', () => {
    expect(problemsOf({})).to.deep.equal([]);
    expect(problemsOf({ lease_seconds: 4, renew_seconds: 2 })).to.deep.equal([]);
    for (const given of [{ renew_seconds: 30 }, { lease_seconds: 2 }, { lease_seconds: 15, renew_seconds: 8 }])
      expect(problemsOf(given).join()).to.match(/^renew_seconds: must be at most half of lease_seconds \(\d+\)/);
  });
});
