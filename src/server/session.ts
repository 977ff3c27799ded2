import type { Arbiter, Held, Lease, Replication } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/https-client.ts';
import { Primary } from '../replication/primary.ts';
import type { RuleValues } from '../replication/replication-rule.ts';
import type { Log } from '../telemetry/log.ts';
import type { HeldLease } from './lease.ts';

export interface SessionOptions {
  readonly config: EngineConfig;
  readonly database: Database;
  readonly arbiter: Arbiter;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly onBroken: (error: unknown) => void;
}

/** This process as primary of one epoch. */
export interface Session {
  readonly lease: HeldLease;
  readonly primary: Primary;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** Told to stop serving, by a controller or by the lease; it still ships what it has. */
  fenced: boolean;
}

export interface Beginning {
  readonly lease: HeldLease;
  readonly rule: RuleValues;
  readonly before: Held<Replication> | null;
  /** A renewal was refused: what is there instead. */
  readonly onRefused: (current: Held<Lease> | null) => Promise<void>;
}

/** Begins to ship, to commit and to renew under a lease that is held. */
export function beginSession({ lease, rule, before, onRefused }: Beginning, options: SessionOptions): Session {
  const { database, arbiter, client, clock, log, config, onBroken } = options;
  const abort = new AbortController();
  const standbys = Object.entries(config.regions)
    .filter(([region]) => region !== config.region)
    .map(([region, { database: url }]) => ({ region, url: url.replace(/\/$/, '') }));
  const primary = new Primary({
    database,
    arbiter,
    client,
    clock,
    log,
    policy: config.policy,
    region: config.region,
    epoch: lease.epoch,
    standbys,
    leaseIsValid: () => lease.isValid(),
    leaseEndedAtMs: () => lease.endedAtMs,
    directLease: { wanted: () => lease.wantsDirect(), promised: (region, askedAtMs) => lease.direct.promised(region, askedAtMs) },
    // Only the arbiter says who is primary; the next renewal of the lease will tell.
    onEpochPassed: (epoch) => log.debug('epoch_refused', { own: lease.epoch, epoch }),
    onBroken,
  });
  const renewing = lease
    .renew(() => primary.failWaiting('lease-lost', 'the lease ran out before the write was acknowledged'), abort.signal)
    .then((refused) => (refused === null ? undefined : onRefused(refused.current)));
  const done = Promise.all([renewing, primary.run(rule, before, abort.signal)]).then(() => undefined);
  done.catch(onBroken);
  return { lease, primary, abort, done, fenced: false };
}
