import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../platform/clock.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import type { Credentials } from '../platform/tls.ts';
import { freePorts } from './free-ports.ts';
import { untilStill } from './until-still.ts';
import { WITH_PARENT } from './with-parent.ts';

const START_MS = 60_000;
const METRICS_MS = 3000;
/** Requests that a client of the JSON gateway makes arrive as gRPC too. */
const STARTED = /^grpc_server_started_total\{grpc_method="(\w+)",grpc_service="etcdserverpb\.(?:KV|Watch|Lease)".*\} ([\d.e+]+)$/gm;

/** Three real etcd members on loopback with mutual TLS, for tests. The owner calls `stop`. */
export interface EtcdCluster {
  readonly endpoints: readonly string[];
  signal(member: number, signal: NodeJS.Signals): void;
  /** Stops a member; resolves when it stands still. */
  hold(member: number): Promise<void>;
  readonly pids: readonly number[];
  /** How many requests the members have begun to serve, by gRPC method. */
  requests(): Promise<ReadonlyMap<string, number>>;
  /** Index of the member that leads now, or null while there is none. */
  leader(): Promise<number | null>;
  stop(): Promise<void>;
}

export async function startEtcdCluster(credentials: Credentials): Promise<EtcdCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-test-'));
  for (const name of ['ca', 'cert', 'key'] as const) writeFileSync(join(folder, `${name}.pem`), credentials[name], { mode: 0o600 });
  const ports = await freePorts(6);
  const client = (i: number): string => `https://127.0.0.1:${ports[i]}`;
  const peer = (i: number): string => `https://127.0.0.1:${ports[i + 3]}`;
  const initial = [0, 1, 2].map((i) => `m${i}=${peer(i)}`).join(',');
  const members = [0, 1, 2].map((i) => startMember(folder, i, { client: client(i), peer: peer(i), initial }));
  const https = new HttpsClient(credentials);
  const leader = async (): Promise<number | null> => {
    for (const i of [0, 1, 2]) {
      const reply = await https.call(`${client(i)}/v3/maintenance/status`, { method: 'POST', body: '{}', timeoutMs: 500 });
      if (reply.kind !== 'reply' || reply.status !== 200) continue;
      const status = parseJson(reply.body) as { leader?: string; header?: { member_id?: string } };
      if (status.leader !== undefined && status.leader === status.header?.member_id) return i;
    }
    return null;
  };
  const stop = async (): Promise<void> => {
    https.close();
    await Promise.all(members.map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  for (const until = systemClock.monotonicMs() + START_MS; (await leader()) === null; await systemClock.sleep(50)) {
    if (systemClock.monotonicMs() < until) continue;
    await stop();
    throw new Error('etcd did not start; is etcd-server installed?');
  }
  const requests = async (): Promise<ReadonlyMap<string, number>> => {
    const sum = new Map<string, number>();
    for (const i of [0, 1, 2]) {
      const reply = await https.call(`${client(i)}/metrics`, { timeoutMs: METRICS_MS });
      if (reply.kind !== 'reply') throw new Error(`etcd member ${i} tells no metrics: ${reply.reason}`);
      for (const [, method = '', count] of reply.body.toString().matchAll(STARTED)) sum.set(method, (sum.get(method) ?? 0) + Number(count));
    }
    return sum;
  };
  const pids = members.map(({ pid }) => pid as number);
  const signal = (member: number, name: NodeJS.Signals): void => void members[member]?.kill(name);
  const hold = async (member: number): Promise<void> => {
    signal(member, 'SIGSTOP');
    await untilStill(pids[member]!);
  };
  return { endpoints: [0, 1, 2].map(client), pids, requests, signal, hold, leader, stop };
}

function startMember(folder: string, i: number, urls: { client: string; peer: string; initial: string }): ChildProcess {
  const file = (name: string): string => join(folder, `${name}.pem`);
  const tls = (kind: '' | 'peer-'): string[] => [
    `--${kind}client-cert-auth`,
    `--${kind}trusted-ca-file=${file('ca')}`,
    `--${kind}cert-file=${file('cert')}`,
    `--${kind}key-file=${file('key')}`,
  ];
  const args = [
    `--name=m${i}`,
    `--data-dir=${join(folder, `m${i}`)}`,
    `--listen-client-urls=${urls.client}`,
    `--advertise-client-urls=${urls.client}`,
    `--listen-peer-urls=${urls.peer}`,
    `--initial-advertise-peer-urls=${urls.peer}`,
    `--initial-cluster=${urls.initial}`,
    '--pre-vote=true',
    '--heartbeat-interval=50',
    '--election-timeout=500',
    '--logger=zap',
    '--log-level=error',
    ...tls(''),
    ...tls('peer-'),
  ];
  return spawn('setpriv', [...WITH_PARENT, 'etcd', ...args], { stdio: 'ignore' });
}

async function end(member: ChildProcess): Promise<void> {
  if (member.exitCode !== null || member.signalCode !== null) return;
  const exited = once(member, 'exit');
  member.kill('SIGKILL');
  await exited;
}
