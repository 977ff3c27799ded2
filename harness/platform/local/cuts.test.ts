import { expect } from 'chai';
import fc from 'fast-check';
import { cutCommand, healCommand } from './cuts.ts';
import { threeRegions } from './topology.ts';

describe('cuts', () => {
  const lab = threeRegions();

  it('puts all cuts of an injection into one transaction in one table', () => {
    const command = cutCommand('fault1', lab, [
      { act: 'cut', from: ['api-us-central1'], to: ['db-us-east1', 'dns'] },
      { act: 'cut-external', pods: ['dns'], cidr: '10.77.1.0/24', port: 53, direction: 'to' },
    ]);
    expect(command.split('\n')).to.have.lengthOf(1);
    expect(command).to.include('iifname . oifname { "pod1-10" . "pod2-11", "pod1-10" . "pod9-53" } counter drop');
    expect(command).to.include('iifname { "pod9-53" } ip daddr 10.77.1.0/24 meta l4proto { tcp, udp } th dport 53 counter drop');
    expect(healCommand('fault1')).to.equal('delete table bridge fault1');
  });

  it('a loss drops a share of what goes between pods', () => {
    const lose = { act: 'lose', from: ['dns'], to: ['api-us-central1'], share: 0.125 } as const;
    expect(cutCommand('f', lab, [lose])).to.include(
      'iifname . oifname { "pod9-53" . "pod1-10" } numgen random mod 10000 < 1250 counter drop',
    );
    expect(cutCommand('f', lab, [{ ...lose, share: 1 }])).to.include('{ "pod9-53" . "pod1-10" } counter drop');
  });

  it('never cuts a pod from itself', () => {
    const command = cutCommand('f', lab, [{ act: 'cut', from: ['dns', 'operator'], to: ['dns', 'operator'] }]);
    expect(command).to.include('{ "pod9-53" . "pod9-30", "pod9-30" . "pod9-53" }');
  });

  it('matches a whole address family by its type', () => {
    expect(cutCommand('f', lab, [{ act: 'cut-external', pods: ['dns'], cidr: '::/0', direction: 'from' }])).to.include(
      'oifname { "pod9-53" } ether type ip6 counter drop',
    );
  });

  it('refuses pods that are not there and networks that are none', () => {
    expect(() => cutCommand('f', lab, [{ act: 'cut', from: ['nobody'], to: ['dns'] }])).to.throw(RangeError);
    for (const cidr of ['10.0.0.0/33', 'drop', '10.0.0.0/8; flush ruleset', '']) {
      expect(() => cutCommand('f', lab, [{ act: 'cut-external', pods: ['dns'], cidr, direction: 'to' }]), cidr).to.throw(RangeError);
    }
  });

  it('names each directed pair exactly once, whatever is asked', () => {
    const names = fc.subarray(lab.pods.map((pod) => pod.name));
    fc.assert(
      fc.property(names, names, (from, to) => {
        const command = cutCommand('f', lab, [{ act: 'cut', from, to }]);
        const pairs = command.match(/"pod\d-\d+" \. "pod\d-\d+"/g) ?? [];
        const expected = from.flatMap((a) => to.filter((b) => a !== b)).length;
        expect(pairs).to.have.lengthOf(expected);
        expect(new Set(pairs).size).to.equal(expected);
      }),
    );
  });
});
