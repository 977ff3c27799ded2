import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { lossGate } from '../failover/gate.ts';
import { judgeSealing } from '../failover/sealing.ts';
import type { Facts, SeenStatus, Setting } from '../failover/state.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';

const policy = PRESETS.lab;
const NOW = 10_000;
const [PRIMARY, EAST, WEST] = ['us-central1', 'us-east1', 'europe-west1'] as const;
const setting: Setting = {
  policy,
  region: WEST,
  incarnation: 'me',
  regions: [PRIMARY, EAST, WEST],
  primaryRegion: PRIMARY,
  promotable: [PRIMARY, EAST, WEST],
  replication: 'sync',
  rpoMs: 5000,
  vetoProgram: false,
};

/** The status of a gateway that is standby: one database, so each has the same end. */
function standby(region: string, askedAtMs: number): [string, SeenStatus] {
  const status: DatabaseStatus = {
    region,
    incarnation: 'p',
    role: 'standby',
    epoch: 4,
    sealedEpoch: 4,
    writable: false,
    lease: null,
    lastIndex: 7_000_000,
    lastEpoch: 4,
    commitIndex: 9_000_000 + askedAtMs,
    appliedIndex: 9_000_000 + askedAtMs,
    mode: 'sync',
    syncSet: [],
    w: 2,
    standbys: {},
  };
  return [region, { status, askedAtMs }];
}

function gate(...databases: readonly [string, SeenStatus][]): ReturnType<typeof lossGate> {
  const replication = { value: { epoch: 4, mode: 'sync' as const, set: [EAST, WEST], w: 2 }, revision: 2 };
  const lease = { lease: { epoch: 4, holder: PRIMARY, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW - 1000 };
  return lossGate({ nowMs: NOW, lease, replaced: null, replication, databases: new Map(databases) } as unknown as Facts, PRIMARY, setting);
}

describe('failover of the service on FoundationDB, as the machine decides it', () => {
  it('waits while no gateway has a status: FoundationDB is recovering', () => {
    const old = NOW - policy.suspectAfterMs - 1;
    expect(gate(standby(EAST, old), standby(WEST, old))).to.include({ open: false, blocker: 'loss' });
    expect(gate()).to.include({ open: false, blocker: 'loss' });
  });

  it('goes on when it is back, though only one other region is left, and loses nothing', () => {
    for (const region of [EAST, WEST])
      expect(gate(standby(region, NOW))).to.include({ open: true, candidate: region, estimatedLossSeconds: 0 });
  });

  it("promotes in the operator's order, whichever gateway was asked last", () => {
    expect(gate(standby(EAST, NOW - 50), standby(WEST, NOW))).to.include({ open: true, candidate: EAST });
  });

  it('is complete with any one region sealed, since it seals the one database', () => {
    const sealed = { region: WEST, lastEpoch: 4, lastIndex: 7_500_000 };
    const journal = { epoch: 5, from: PRIMARY, target: null, course: 'urgent', mode: 'sync', set: [EAST, WEST], w: 2, sealed: [sealed] };
    const run = { journal, fenced: null, failures: {} } as unknown as Parameters<typeof judgeSealing>[0];
    expect(judgeSealing(run, setting)).to.deep.equal({ kind: 'reached', candidates: [WEST], complete: true });
  });
});
