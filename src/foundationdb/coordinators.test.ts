import { expect } from 'chai';
import { coordinatorsOf, placementProblems, type Coordinator } from './coordinators.ts';
import { parseStatus } from './status-json.ts';

/** `dc1 dc1 dc2`: one coordinator each, every one on a machine of its own. */
function at(places: string): readonly Coordinator[] {
  return places.split(' ').map((dc, i) => ({ address: `10.0.0.${i}:4500`, dc, machine: `m${i}`, reachable: true }));
}

describe('placement of coordinators', () => {
  it('is right with three in each of three data centres, and with one in each', () => {
    expect(placementProblems(at('a a a b b b c c c'))).to.deep.equal([]);
    expect(placementProblems(at('a b c'))).to.deep.equal([]);
    expect(placementProblems(at('a a b b c'))).to.deep.equal([]);
  });

  it('is wrong where a majority goes with one data centre', () => {
    expect(placementProblems(at('a a a b c'))).to.deep.equal(['3 of 5 coordinators are in a: without it 2 are left, and 3 must agree']);
    expect(placementProblems(at('a a a a a b b'))[0]).to.contain('5 of 7 coordinators are in a');
  });

  it('is wrong where half of them go: the other half is no majority', () => {
    const problems = placementProblems(at('a a b c'));
    expect(problems[0]).to.equal('2 of 4 coordinators are in a: without it 2 are left, and 3 must agree');
    expect(problems[1]).to.equal('4 coordinators survive no more losses than 3 do');
  });

  it('is wrong with fewer than three', () => {
    expect(placementProblems(at('a'))[0]).to.match(/^1 coordinator: /);
    expect(placementProblems(at('a b'))[0]).to.match(/^2 coordinators: /);
    expect(placementProblems([])[0]).to.match(/^0 coordinators: /);
  });

  it('does not take a coordinator for well placed that nobody knows the place of', () => {
    const unknown = [...at('a b'), { address: '10.0.0.9:4500', dc: null, machine: null, reachable: true }];
    expect(placementProblems(unknown)).to.deep.equal(['nobody knows in which data centre 10.0.0.9:4500 is']);
  });

  it('sees two that share a machine', () => {
    const shared = at('a a b b c').map((one) => (one.dc === 'a' ? { ...one, machine: 'm' } : one));
    expect(placementProblems(shared)).to.deep.equal(['2 coordinators share machine m of a: they are lost together']);
  });

  it('finds the place of each in the status, with or without TLS', () => {
    const status = parseStatus(
      JSON.stringify({
        client: {
          coordinators: { coordinators: [{ address: '10.0.0.1:4500:tls(fromHostname)', reachable: true }, { address: '10.0.0.2:4500' }] },
        },
        cluster: { processes: { x: { address: '10.0.0.1:4500:tls', locality: { dcid: 'a', machineid: 'm1' } }, y: null } },
      }),
    );
    expect(coordinatorsOf(status ?? {})).to.deep.equal([
      { address: '10.0.0.1:4500', dc: 'a', machine: 'm1', reachable: true },
      { address: '10.0.0.2:4500', dc: null, machine: null, reachable: false },
    ]);
    expect(coordinatorsOf({})).to.equal(null);
  });
});
