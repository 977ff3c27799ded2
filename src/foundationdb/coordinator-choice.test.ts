import { expect } from 'chai';
import { address, DCS, servers, SIX, status, type Server } from '../testing/placed-servers.ts';
import { chooseCoordinators } from './coordinator-choice.ts';

describe('choice of coordinators', () => {
  const chosen = (of: readonly Server[], present: readonly number[] = [0]): readonly string[] | string =>
    chooseCoordinators(status({}, present, of), DCS);
  const placesOf = (addresses: readonly string[] | string, of: readonly Server[]): string =>
    typeof addresses === 'string'
      ? addresses
      : of
          .filter((_, n) => addresses.includes(address(n)))
          .map(({ dc }) => dc)
          .join(' ');

  it('takes three, five or nine, as many as there are machines for, never a majority in one place', () => {
    for (const [places, wanted] of [
      ['dc1 dc2 dc3', 'dc1 dc2 dc3'],
      ['dc1 dc1 dc1 dc2 dc3', 'dc1 dc2 dc3'],
      ['dc1 dc1 dc2 dc3 dc3', 'dc1 dc1 dc2 dc3 dc3'],
      ['dc1 dc1 dc1 dc1 dc2 dc2 dc2 dc3 dc3 dc3', 'dc1 dc1 dc1 dc2 dc2 dc2 dc3 dc3 dc3'],
    ] as const)
      expect(placesOf(chosen(servers(places)), servers(places)), places).to.equal(wanted);
  });

  it('takes one of a machine, and of other zones first', () => {
    const shared = SIX.map((server, n) => (n < 2 ? { ...server, machine: 'm' } : server));
    expect(placesOf(chosen(shared), shared)).to.equal('dc1 dc2 dc2 dc3 dc3');
    const zones = [...servers('dc1 dc1 dc1 dc1 dc2 dc2 dc2 dc3 dc3 dc3')].map((server, n) => (n < 2 ? { ...server, zone: 'z' } : server));
    expect(chosen(zones))
      .to.include.members([address(0), address(2), address(3)])
      .and.not.include(address(1));
  });

  it('keeps those that are there', () => {
    expect(chosen(servers('dc1 dc1 dc2 dc2 dc3 dc3 dc1 dc1'), [7])).to.include(address(7));
  });

  it('says where a server is missing', () => {
    expect(chosen(servers('dc1 dc1 dc2'))).to.equal('no process of dc3 could be a coordinator: start its servers');
  });
});
