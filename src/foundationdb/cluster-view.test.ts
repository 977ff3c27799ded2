import { expect } from 'chai';
import { canTake, conditionOf, isWhole, NOTHING_KNOWN, viewOf, type ClusterView } from './cluster-view.ts';
import { parseStatus } from './status-json.ts';

const DCS = ['dc1', 'dc2', 'dc3'];
const DC1_AWAY = new Map([['dc1', 0]]);

/** A healthy three_datacenter cluster, with two processes a data centre; shortened from 7.3.79's own. */
function healthy(): Record<string, unknown> {
  const processes = Object.fromEntries(
    DCS.flatMap((dc) =>
      [1, 2].map((n) => [
        `${dc}-${n}`,
        {
          address: `10.77.${dc.slice(2)}.${n}:4500`,
          excluded: false,
          locality: { dcid: dc, zoneid: `${dc}-z${n}`, machineid: `${dc}-m${n}`, processid: 'x' },
          roles: [{ role: 'storage', data_lag: { seconds: 0.1, versions: 100000 } }, { role: 'log' }],
        },
      ]),
    ),
  );
  return {
    client: {
      coordinators: { quorum_reachable: true, coordinators: [] },
      database_status: { available: true, healthy: true },
      messages: [],
    },
    cluster: {
      active_primary_dc: 'dc1',
      configuration: { redundancy_mode: 'three_datacenter', usable_regions: 1, storage_engine: 'ssd-2' },
      data: {
        state: { healthy: true, name: 'healthy' },
        team_trackers: [{ primary: true, state: { healthy: true, min_replicas_remaining: 6 } }],
      },
      database_available: true,
      database_lock_state: { locked: false },
      datacenter_lag: { seconds: 0, versions: 0 },
      fault_tolerance: { max_zone_failures_without_losing_availability: 1, max_zone_failures_without_losing_data: 2 },
      full_replication: true,
      generation: 4,
      logs: [{ current: true, possibly_losing_data: false }],
      processes,
      recovery_state: { name: 'fully_recovered', active_generations: 1 },
    },
  };
}

function seen(change: (status: Record<string, Record<string, unknown>>) => void): ClusterView {
  const status = healthy();
  change(status as Record<string, Record<string, unknown>>);
  return viewOf(parseStatus(JSON.stringify(status)) ?? {});
}

describe('health from status JSON', () => {
  it('finds a whole cluster healthy', () => {
    const view = seen(() => undefined);
    expect(conditionOf(view, DCS)).to.deep.equal({ kind: 'healthy' });
    expect(view.primaryDc).to.equal('dc1');
    expect(DCS.map((dc) => isWhole(view, dc))).to.deep.equal([true, true, true]);
  });

  it('sees a data centre that is gone although full_replication and database_available say nothing of it', () => {
    const view = seen(({ cluster }) => {
      const processes = cluster?.['processes'] as Record<string, unknown>;
      for (const name of ['dc1-1', 'dc1-2']) delete processes[name];
      (cluster as Record<string, unknown>)['recovery_state'] = { name: 'all_logs_recruited', active_generations: 2 };
    });
    const condition = conditionOf(view, DCS);
    expect(condition.kind).to.equal('degraded');
    expect(condition).to.have.deep.property('why', ['no process of data centre dc1', 'recovery is at all_logs_recruited']);
    expect(isWhole(view, 'dc1')).to.equal(false);
    // And nobody is whole until the recovery is over.
    expect(isWhole(view, 'dc2')).to.equal(false);
    // But the service may be moved to those that are left.
    expect(DCS.map((dc) => canTake(view, dc, DC1_AWAY))).to.deep.equal([false, true, true]);
    // Unless it was never there: then its name is wrong in the configuration.
    expect(DCS.map((dc) => canTake(view, dc, new Map()))).to.deep.equal([false, false, false]);
  });

  it('lets the service be moved only to what is whole where no data centre is away, and nowhere while it does not serve', () => {
    const copying = seen(
      ({ cluster }) => void ((cluster as Record<string, unknown>)['data'] = { state: { healthy: false }, team_trackers: [{}] }),
    );
    expect(canTake(copying, 'dc2', new Map())).to.equal(false);
    for (const change of [
      { recovery_state: { name: 'recruiting_transaction_servers' } },
      { database_available: false },
      { logs: [{ possibly_losing_data: true }] },
    ]) {
      const view = seen(({ cluster }) => {
        Object.assign(cluster as Record<string, unknown>, change);
        const processes = cluster?.['processes'] as Record<string, unknown>;
        for (const name of ['dc1-1', 'dc1-2']) delete processes[name];
      });
      expect(canTake(view, 'dc2', DC1_AWAY), JSON.stringify(change)).to.equal(false);
    }
    expect(canTake(NOTHING_KNOWN, 'dc2', new Map())).to.equal(null);
    expect(
      canTake(
        seen(() => undefined),
        'dc2',
        new Map(),
      ),
    ).to.equal(true);
  });

  it('takes what is absent neither for healthy nor for failed', () => {
    expect(conditionOf(NOTHING_KNOWN, DCS).kind).to.equal('unknown');
    expect(isWhole(NOTHING_KNOWN, 'dc1')).to.equal(null);
    for (const part of ['data', 'recovery_state', 'processes']) {
      const view = seen(({ cluster }) => void delete cluster?.[part]);
      expect(conditionOf(view, DCS).kind, part).to.equal('unknown');
      expect(isWhole(view, 'dc1'), part).to.equal(null);
    }
  });

  it('takes a value of the wrong type for absent', () => {
    const view = seen(({ cluster }) => void ((cluster as Record<string, unknown>)['data'] = 'healthy'));
    expect(view.replicated).to.equal(null);
    const strange = seen(({ cluster }) => void ((cluster as Record<string, unknown>)['full_replication'] = 'yes'));
    expect(strange.replicated).to.equal(null);
  });

  it('knows a cluster that is out of reach', () => {
    // What a client says after two seconds with all servers dead, and with the controller out of reach (7.3.79).
    const dead = viewOf(
      parseStatus(
        '{"client":{"coordinators":{"quorum_reachable":false},"database_status":{"available":false,"healthy":false},"messages":[{"name":"quorum_not_reachable"}]}}',
      ) ?? {},
    );
    expect(conditionOf(dead, DCS)).to.deep.equal({ kind: 'unavailable', why: ['quorum_not_reachable'] });
    expect(isWhole(dead, 'dc1')).to.equal(false);
  });

  it('waits for a recovery that does not serve yet', () => {
    const view = seen(
      ({ cluster }) => void ((cluster as Record<string, unknown>)['recovery_state'] = { name: 'reading_transaction_system_state' }),
    );
    expect(conditionOf(view, DCS)).to.deep.equal({ kind: 'unavailable', why: ['recovering: reading_transaction_system_state'] });
  });

  it('does not count processes that are excluded, and wants storage where the service is to go', () => {
    const view = seen(({ cluster }) => {
      const processes = cluster?.['processes'] as Record<string, Record<string, unknown>>;
      for (const name of ['dc3-1', 'dc3-2']) (processes[name] as Record<string, unknown>)['excluded'] = true;
      for (const name of ['dc2-1', 'dc2-2']) (processes[name] as Record<string, unknown>)['roles'] = [{ role: 'log' }];
    });
    expect(conditionOf(view, DCS)).to.have.deep.property('why', ['no process of data centre dc3']);
    expect(isWhole(view, 'dc2')).to.equal(false);
  });

  it('tells a lock and who has it', () => {
    const view = seen(
      ({ cluster }) => void ((cluster as Record<string, unknown>)['database_lock_state'] = { locked: true, lock_uid: 'ab' }),
    );
    expect(conditionOf(view, DCS)).to.have.deep.property('why', ['locked by ab']);
  });

  it('has no status where the client gave up and printed nothing, or half of it', () => {
    for (const text of ['', '{', 'null', '[]', '"x"', 'Fetching…']) expect(parseStatus(text), text).to.equal(null);
  });
});
