import { resolve } from 'node:path';
import type { Arbiter } from './arbiter/arbiter.ts';
import { openEtcd } from './arbiter/etcd.ts';
import type { EngineConfig } from './config/config.ts';
import type { Database } from './database/database.ts';
import type { DnsProvider } from './dns/dns.ts';
import { openRfc2136 } from './dns/rfc2136.ts';
import type { Clock } from './platform/clock.ts';
import { readSecret } from './platform/secret.ts';
import type { Credentials } from './platform/tls.ts';

/** What an adapter is opened with. */
export interface AdapterContext {
  readonly config: EngineConfig;
  /** Folder of the configuration file: paths in it are relative to it. */
  readonly folder: string;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** The one list of arbiters. */
const ARBITERS: { readonly [K in EngineConfig['arbiter']['kind']]: (context: AdapterContext) => Arbiter } = {
  etcd: ({ config, credentials, clock }) =>
    openEtcd({
      endpoints: config.arbiter.endpoints,
      prefix: config.arbiter.prefix,
      credentials,
      rpcMs: config.policy.arbiterRpcMs,
      // A healthy system renews a lease all the time: two renewals missed is worth a look.
      silenceMs: 2 * config.policy.leaseRenewMs,
      clock,
    }),
};

/** The one list of DNS providers. */
const DNS_PROVIDERS: { readonly [K in EngineConfig['dns']['kind']]: (context: AdapterContext) => DnsProvider } = {
  rfc2136: ({ config, folder, clock }) => {
    const { server, port, zone, name, ttl_seconds: ttlSeconds, tsig } = config.dns;
    const key = {
      name: tsig.name,
      algorithm: tsig.algorithm,
      secret: readSecret(resolve(folder, tsig.secret_file), 'dns.tsig.secret_file'),
    };
    return openRfc2136({ server, port, zone, name, ttlSeconds, key, timeoutMs: config.policy.appendTimeoutMs, clock });
  },
};

export function openArbiter(context: AdapterContext): Arbiter {
  return ARBITERS[context.config.arbiter.kind](context);
}

export function openDns(context: AdapterContext): DnsProvider {
  return DNS_PROVIDERS[context.config.dns.kind](context);
}

/** The databases; the module is loaded by the program that has one only. */
export async function loadDatabaseOpener(): Promise<(folder: string) => Database> {
  return (await import('./database/lmdb.ts')).openLmdb;
}
