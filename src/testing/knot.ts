import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packet from 'dns-packet';
import { createSocket } from 'node:dgram';
import type { TsigKey } from '../dns/tsig.ts';
import { systemClock } from '../platform/clock.ts';
import { freePorts } from './free-ports.ts';
import { untilStill } from './until-still.ts';
import { WITH_PARENT } from './with-parent.ts';

const START_MS = 60_000;

/** A real knot on loopback with the empty zone coditect.test., for tests. The owner calls `stop`. */
export interface TestKnot {
  readonly server: string;
  readonly port: number;
  readonly zone: string;
  readonly key: TsigKey;
  /** Resolves when it stands still. */
  hold(): Promise<void>;
  goOn(): void;
  stop(): Promise<void>;
}

export async function startKnot(): Promise<TestKnot> {
  const folder = mkdtempSync(join(tmpdir(), 'knot-test-'));
  const [port] = (await freePorts(1)) as [number];
  const key: TsigKey = { name: 'coditect-dr.', algorithm: 'hmac-sha256', secret: randomBytes(32) };
  for (const name of ['run', 'db']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'knot.conf'), configuration(folder, port, key), { mode: 0o600 });
  writeFileSync(
    join(folder, 'zone'),
    '$ORIGIN coditect.test.\n@ 1 SOA dns.coditect.test. admin.coditect.test. 1 60 60 60 1\n@ 1 NS dns\ndns 1 A 127.0.0.1\n',
  );
  const knot = spawn('setpriv', [...WITH_PARENT, 'knotd', '-c', join(folder, 'knot.conf')], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (knot.exitCode === null && knot.signalCode === null) {
      const exited = once(knot, 'exit');
      knot.kill('SIGKILL');
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (const until = systemClock.monotonicMs() + START_MS; !(await answers(port)); await systemClock.sleep(20)) {
    if (systemClock.monotonicMs() < until) continue;
    await stop();
    throw new Error('knotd did not start; is knot installed?');
  }
  const hold = async (): Promise<void> => {
    knot.kill('SIGSTOP');
    await untilStill(knot.pid!);
  };
  return { server: '127.0.0.1', port, zone: 'coditect.test.', key, hold, goOn: () => void knot.kill('SIGCONT'), stop };
}

async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.on('error', () => undefined);
    socket.send(packet.encode({ id: 1, type: 'query', questions: [{ type: 'SOA', name: 'coditect.test' }] }), port, '127.0.0.1');
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(500) })) as [Buffer];
    return (packet.decode(reply).answers?.length ?? 0) > 0;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function configuration(folder: string, port: number, key: TsigKey): string {
  return `
server:
  listen: 127.0.0.1@${port}
  rundir: ${folder}/run
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${folder}/db
key:
  - id: ${key.name}
    algorithm: ${key.algorithm}
    secret: ${key.secret.toString('base64')}
acl:
  - id: update
    key: ${key.name}
    action: update
zone:
  - domain: coditect.test
    file: ${folder}/zone
    zonefile-sync: -1
    journal-content: changes
    acl: update
`;
}
