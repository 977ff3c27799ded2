import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { EventBody, PodChanged } from '../../history/event.ts';
import { systemClock } from '../clock.ts';
import { HarnessError } from '../errors.ts';
import type { RunContext } from '../platform.ts';
import { LocalPlatform } from './local.ts';
import { Nft } from './nft.ts';
import { requireSandbox } from './testing/require-sandbox.ts';
import { podNamed } from './topology.ts';

const ENGINE = path.join(import.meta.dirname, 'testing/stand-in-engine.js');
// Never aborts: mocha bounds each test. A limit set here would count from when the files are loaded, minutes before a late suite runs.
const { signal } = new AbortController();

/** One lab for all tests of this file: each leaves it as it was. */
describe('local platform', () => {
  let runFolder: string;
  let lab: LocalPlatform;
  const events: EventBody[] = [];

  function contextOf(): RunContext {
    const clock = systemClock(process.hrtime.bigint());
    return { nowMs: () => clock.nowMs(), record: (event: EventBody) => void events.push(event), runFolder, seed: 1 };
  }
  before(async () => {
    requireSandbox();
    runFolder = mkdtempSync(path.join(tmpdir(), 'gameday-local-'));
    lab = new LocalPlatform(contextOf(), { replication: 'sync', policy: 'lab', engineMain: ENGINE });
    await lab.start(signal);
  });
  after(async () => {
    await lab?.close();
    rmSync(runFolder, { recursive: true, force: true });
  });

  const changes = (pod: string): PodChanged[] => events.filter((event): event is PodChanged => event.kind === 'pod' && event.pod === pod);
  const inPod = (pod: string, script: string): { status: number | null; stdout: string } => {
    const [program, ...args] = lab.commandInPod(pod, ['timeout', '30', 'bash', '-c', script]);
    return spawnSync(program, args, { encoding: 'utf8', env: { ...lab.environment } });
  };
  /** open, refused (a host answered that nobody listens there), or cut: no answer in a time in which a busy machine has one, and starts a shell. */
  const dial = (from: string, address: string, port: number): string => {
    const { status } = inPod(from, `timeout 2 bash -c 'echo > /dev/tcp/${address}/${port}' 2>/dev/null`);
    return status === 0 ? 'open' : status === 124 ? 'cut' : 'refused';
  };
  const region = (name: string): string[] => lab.topology.pods.filter((pod) => pod.region === name).map((pod) => pod.name);
  async function until(holds: () => boolean): Promise<void> {
    for (let waited = 0; !holds(); waited += 20) {
      if (waited > 60_000) throw new Error(`not seen in time; last events: ${JSON.stringify(events.slice(-10))}`);
      await sleep(20);
    }
  }

  it('starts every pod and sees each of them serve', () => {
    expect(lab.pods().map((pod) => pod.phase)).to.deep.equal(Array(22).fill('Running'));
    for (const pod of lab.pods()) expect(changes(pod.name).map((event) => event.change)).to.deep.equal(['started', 'ready']);
    expect(new Set(lab.pods().map((pod) => lab.pidOf(pod.name))).size).to.equal(22);
  });

  it('records what engines log, and only them', async () => {
    const logs = () => events.filter((event) => event.kind === 'engine-log');
    const pods = () => new Set(logs().map((log) => log.pod)).size;
    await until(() => pods() >= 9);
    expect(pods()).to.equal(9);
    expect(logs()[0]?.action).to.equal('listening');
  });

  it('lets a pod find the service by name through its own resolver, in both families', () => {
    for (const pod of ['client-us-east1', 'client-outside']) {
      expect(inPod(pod, 'dig +short api.coditect.test A api.coditect.test AAAA').stdout).to.equal('10.77.1.10\nfd77::1:10\n');
      expect(inPod(pod, 'dig api.coditect.test TXT').stdout, 'no data yet is an answer, not an error').to.include('status: NOERROR');
    }
    expect(inPod('client-us-east1', 'cat /etc/resolv.conf').stdout).to.include('nameserver 10.77.2.14');
  });

  it("shows a pod its own folder and nobody else's", () => {
    expect(inPod('db-us-east1', 'ls').stdout.split('\n')).to.include.members(['config.yaml', 'data', 'secrets', 'tls']);
    expect(inPod('db-us-east1', `ls -A /run/lab ${runFolder} | grep -v :`).stdout.trim()).to.equal('');
    inPod('db-us-east1', 'echo kept > data/file');
    expect(readFileSync(path.join(runFolder, 'lab/db-us-east1/file'), 'utf8')).to.equal('kept\n');
  });

  it('keeps private keys and secrets readable for their owner only, and out of the run folder and the events', () => {
    const modes = inPod('api-us-central1', 'stat -c %a tls/tls.key secrets/tsig').stdout;
    expect(modes).to.equal('600\n600\n');
    const key = inPod('api-us-central1', 'sed -n 2p tls/tls.key').stdout.trim();
    const secret = inPod('api-us-central1', 'cat secrets/tsig').stdout.trim();
    expect(key).to.have.length.above(20);
    const written = readdirSync(runFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    for (const text of [...written, JSON.stringify(events)]) expect(text.includes(key) || text.includes(secret)).to.equal(false);
  });

  it('lets only the roles that need it into etcd', () => {
    const ask = (pod: string): string =>
      inPod(
        pod,
        'curl -s -o /dev/null -w "%{http_code}" --cacert tls/ca.crt --cert tls/tls.crt --key tls/tls.key -d {} https://10.77.1.13:2379/v3/maintenance/status',
      ).stdout;
    expect(ask('dr-controller-us-east1')).to.equal('200');
    expect(ask('client-us-east1')).to.equal('000');
  });

  it('cuts exactly the pairs asked for, in one direction or both, in both families, established connections too', async () => {
    const open = lab.runInPod('client-us-central1', 'bash', [
      '-c',
      `exec 3<>/dev/tcp/10.77.2.10/8443; echo '{"connected":true}'; read -r go; printf x >&3; timeout 1 cat <&3; echo "{\\"ended\\":$?}"`,
    ]);
    const heard: unknown[] = [];
    open.onMessage((message) => void heard.push(message));
    await until(() => heard.length === 1);
    const cut = lab.injection([{ act: 'cut', from: region('us-central1'), to: region('us-east1') }]);
    const { requestedMs, acknowledgedMs } = await cut.apply(signal);
    expect(acknowledgedMs).to.be.at.least(requestedMs);
    const { ipv6 } = podNamed(lab.topology, 'api-us-east1');
    expect(dial('client-us-central1', '10.77.2.10', 8443)).to.equal('cut');
    expect(dial('client-us-central1', ipv6, 8443)).to.equal('cut');
    expect(dial('client-us-central1', '10.77.3.10', 8443)).to.equal('open');
    expect(dial('client-us-central1', '10.77.1.10', 8443)).to.equal('open');
    open.send({ go: true });
    await until(() => heard.length === 2);
    expect(heard[1]).to.deep.equal({ ended: 124 }); // neither data nor an end came through
    await cut.heal(signal);
    expect(dial('client-us-central1', '10.77.2.10', 8443)).to.equal('open');
    expect(dial('client-us-central1', ipv6, 8443)).to.equal('refused');
    await open.exited;
  });

  it('keeps overlapping faults apart', async () => {
    const first = lab.injection([{ act: 'cut', from: ['client-outside'], to: ['api-us-east1'] }]);
    const second = lab.injection([
      { act: 'cut', from: ['client-outside'], to: ['api-us-east1', 'api-europe-west1'] },
      { act: 'cut-external', pods: ['operator'], cidr: '10.77.3.0/24', port: 8443, direction: 'to' },
    ]);
    await first.apply(signal);
    await second.apply(signal);
    await first.heal(signal);
    await first.heal(signal);
    expect(dial('client-outside', '10.77.2.10', 8443)).to.equal('cut');
    expect(dial('operator', '10.77.3.10', 8443)).to.equal('cut');
    expect(dial('operator', '10.77.3.10', 9443)).to.equal('refused');
    await second.heal(signal);
    expect(dial('client-outside', '10.77.2.10', 8443)).to.equal('open');
    expect(dial('operator', '10.77.3.10', 8443)).to.equal('open');
  });

  it('restarts a killed container at once, and the second time after a back-off', async () => {
    const pod = 'api-europe-west1';
    const kill = lab.injection([{ act: 'container-kill', pods: [pod], containers: ['api'] }]);
    const before = lab.pidOf(pod);
    await kill.apply(signal);
    await until(() => changes(pod).filter((event) => event.change === 'ready').length === 2);
    expect(lab.pidOf(pod)).to.not.equal(before);
    const exited = changes(pod).find((event) => event.change === 'exited');
    expect(exited).to.include({ pid: before, signal: 'SIGKILL' });
    await lab.injection([{ act: 'container-kill', pods: [pod], containers: ['api'] }]).apply(signal);
    const scheduled = changes(pod).filter((event) => event.change === 'restart-scheduled');
    expect(scheduled.map((event) => event.restartInMs)).to.deep.equal([0, 10_000]);
  });

  it('replaces a killed pod after the replacement delay, with its back-off forgotten', async () => {
    const pod = 'api-europe-west1'; // in back-off from the test before: a new pod knows nothing of that
    await lab.injection([{ act: 'pod-kill', pods: [pod, 'db-europe-west1'], graceMs: 20_000 }]).apply(signal);
    expect(lab.pods().find((each) => each.name === 'db-europe-west1')?.phase).to.equal('Pending');
    await until(() => changes(pod).at(-1)?.change === 'ready' && changes('db-europe-west1').at(-1)?.change === 'ready');
    const graceful = changes('db-europe-west1').map(({ change, restartInMs, exitCode, signal: by }) => ({
      change,
      restartInMs,
      exitCode,
      by,
    }));
    expect(graceful.slice(2)).to.deep.equal([
      { change: 'killed', restartInMs: undefined, exitCode: undefined, by: 'SIGTERM' },
      { change: 'exited', restartInMs: undefined, exitCode: 0, by: null },
      { change: 'restart-scheduled', restartInMs: 3000, exitCode: undefined, by: undefined },
      { change: 'started', restartInMs: undefined, exitCode: undefined, by: undefined },
      { change: 'ready', restartInMs: undefined, exitCode: undefined, by: undefined },
    ]);
  });

  it('holds pods down until every fault that holds them is healed, and leaves the vantages alone', async () => {
    const pods = region('us-east1');
    const vantage = lab.runInPod('client-us-east1', 'cat', []);
    const echoed: unknown[] = [];
    vantage.onMessage((message) => void echoed.push(message));
    const first = lab.injection([{ act: 'pod-hold', pods }]);
    const second = lab.injection([{ act: 'pod-hold', pods: ['db-us-east1'] }]);
    await first.apply(signal);
    await second.apply(signal);
    expect(pods.map((pod) => lab.pidOf(pod))).to.deep.equal(pods.map(() => undefined));
    expect(dial('client-outside', '10.77.2.10', 8443)).to.equal('refused');
    await first.heal(signal);
    await until(() => changes('api-us-east1').at(-1)?.change === 'ready');
    expect(lab.pidOf('db-us-east1')).to.equal(undefined);
    expect(lab.pods().find((pod) => pod.name === 'db-us-east1')?.phase).to.equal('Failed');
    await second.heal(signal);
    await until(() => pods.every((pod) => changes(pod).at(-1)?.change === 'ready'));
    vantage.send({ still: 'here' });
    await until(() => echoed.length === 1);
    expect(echoed).to.deep.equal([{ still: 'here' }]);
    vantage.kill();
    expect((await vantage.exited).signal).to.equal('SIGKILL');
  });

  it('says what it cannot do before anything happens', () => {
    expect(lab.supports({ act: 'pod-kill', pods: ['nobody'], graceMs: 0 })).to.equal('there is no pod nobody in the lab');
    expect(lab.supports({ act: 'container-kill', pods: ['dns'], containers: ['sidecar'] })).to.equal(
      'pod dns has no container sidecar; it has dns',
    );
    expect(lab.supports({ act: 'cut-external', pods: ['dns'], cidr: 'everything', direction: 'to' })).to.equal('not a CIDR: everything');
    expect(lab.supports({ act: 'cut', from: ['dns'], to: ['operator'] })).to.equal(true);
    expect(() => lab.injection([{ act: 'pod-hold', pods: ['nobody'] }])).to.throw(HarnessError);
  });

  it('reports what nft refuses, and commits nothing of it', async () => {
    const nft = await Nft.start();
    const refused = await nft.execute('add table bridge half; add chain bridge missing c').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(HarnessError).and.to.have.property('message').that.includes('missing');
    const tables = await nft
      .execute('add table bridge half2')
      .then(() => spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' }).stdout);
    expect(tables).to.include('half2').and.to.not.match(/half$/m);
    await nft.execute('delete table bridge half2');
    await nft.close();
  });

  it('takes everything away when it closes, faults that nobody healed too', async () => {
    await lab.injection([{ act: 'cut', from: ['dns'], to: ['operator'] }]).apply(signal);
    lab.runInPod('operator', 'sleep', ['1000']);
    expect(await lab.close()).to.deep.equal([]);
    expect(readdirSync(runFolder)).to.deep.equal(['pods']);
  });

  it('ends its start at once where an engine will not have its configuration, in its words', async () => {
    const engineMain = path.join(import.meta.dirname, 'testing/refusing-engine.js');
    const refused = new LocalPlatform(contextOf(), { replication: 'sync', policy: 'lab', engineMain });
    const error: unknown = await refused.start(signal).catch((thrown: unknown) => thrown);
    expect(await refused.close()).to.deep.equal([]);
    expect(error).to.be.instanceOf(HarnessError);
    expect((error as HarnessError).message).to.match(
      /^the program of (api|db|dr-controller)-\S+ refuses to start: bad-config: the client library cannot be loaded$/,
    );
  });
});
