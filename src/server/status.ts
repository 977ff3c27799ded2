import type { EngineConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { DatabaseStatus } from './control-messages.ts';
import type { DatabaseNode } from './node.ts';

/** For a standby: who ships to it, and how far behind it was when it last heard. */
export interface UpstreamStatus {
  readonly region: string;
  readonly epoch: number;
  readonly lagEntries: number;
  readonly ageMs: number;
}

/** `GET /v1/status`; `upstream` and `promised` go beyond the contract. */
export function databaseStatus(
  node: DatabaseNode,
  database: Database,
  config: EngineConfig,
  clock: Clock,
): DatabaseStatus & { readonly upstream: UpstreamStatus | null } {
  const nowMs = clock.monotonicMs();
  const promised = node.promises.current();
  const { log, commitIndex, sealedEpoch } = database.state();
  const { primary, lease } = node;
  const rule = primary?.rule;
  const heard = primary === null ? node.standby.upstream : null;
  const remainingMs = lease?.remainingMs() ?? 0;
  return {
    region: config.region,
    incarnation: node.incarnation,
    role: node.role,
    epoch: node.epoch,
    sealedEpoch,
    writable: node.writable,
    lease: lease !== null && remainingMs > 0 ? { remainingMs: Math.round(remainingMs), by: lease.by } : null,
    lastIndex: log.index,
    lastEpoch: log.epoch,
    commitIndex,
    appliedIndex: commitIndex,
    mode: rule?.mode ?? config.replication,
    syncSet: [...(rule?.set ?? [])],
    w: rule?.w ?? 1,
    standbys: { ...primary?.standbys() },
    upstream:
      heard === null
        ? null
        : {
            region: heard.region,
            epoch: heard.epoch,
            lagEntries: heard.lagEntries,
            ageMs: Math.round(nowMs - heard.heardAtMs),
          },
    upMs: Math.round(node.promises.upMs),
    promised: promised === null ? null : { to: promised.to, epoch: promised.epoch, remainingMs: Math.round(promised.untilMs - nowMs) },
  };
}
