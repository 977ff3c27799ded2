import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { judgeLinks } from '../../../fault/effect.ts';
import { linksToWatch } from '../../../fault/links.ts';
import type { ChangeMoment, Link } from '../../../history/event.ts';
import { HarnessError } from '../../errors.ts';
import type { Primitive } from '../../platform.ts';
import { cutCommand, healCommand } from '../cuts.ts';
import { inNetns } from '../netns.ts';
import { makeNetwork, NETNS_FOLDER, removeNetwork } from '../network.ts';
import { Nft } from '../nft.ts';
import { requireSandbox } from '../testing/require-sandbox.ts';
import { podNamed, threeRegions } from '../topology.ts';
import { processesIn } from './processes.ts';
import { Reach } from './reach.ts';

type Cut = Extract<Primitive, { act: 'cut' | 'cut-external' }>;

// Never aborts: mocha bounds each test. A limit set here would count from when the files are loaded, minutes before a late suite runs.
const { signal } = new AbortController();
const topology = threeRegions();
const names = topology.pods.map((pod) => pod.name);
const region = (of: string): readonly string[] => topology.pods.filter((pod) => pod.region === of).map((pod) => pod.name);
const place = (name: string): { name: string; netnsPath: string } => ({
  name,
  netnsPath: `${NETNS_FOLDER}/${podNamed(topology, name).netns}`,
});
const originNs = process.hrtime.bigint();
const nowMs = (): number => Number(process.hrtime.bigint() - originNs) / 1e6;

const WEST = region('us-central1');
const EAST = region('us-east1');
const bothWays: readonly Cut[] = [
  { act: 'cut', from: WEST, to: EAST },
  { act: 'cut', from: EAST, to: WEST },
];
/** What the fault under test asks for, whatever is then really done: all links between two regions, both ways, both families. */
const ASKED: readonly Link[] = WEST.flatMap((a) =>
  EAST.flatMap((b) => [
    { from: a, to: b, families: [4, 6] as const },
    { from: b, to: a, families: [4, 6] as const },
  ]),
);

/** Real sockets, real rules: what is asked for is always the same, what is done is not. */
describe('reach', () => {
  let nft: Nft;
  let reach: Reach;

  before(async () => {
    requireSandbox();
    await makeNetwork(topology, signal);
    nft = await Nft.start();
    reach = await Reach.start(
      topology.pods.map((pod) => ({ ...pod, ...place(pod.name) })),
      originNs,
      signal,
    );
  });
  after(async () => {
    await reach?.close();
    await nft?.close();
    await removeNetwork(topology);
  });
  afterEach(async () => await nft.execute(healCommand('test')).catch(() => undefined));

  const judge = async (moment: ChangeMoment, beacons: Awaited<ReturnType<ReturnType<Reach['watchLinks']>['stop']>> = []) =>
    judgeLinks({
      fault: 'test',
      moment,
      expected: { kind: 'links-cut', pods: names, cut: ASKED, unobservable: [] },
      cells: await reach.reachability(names, signal),
      beacons,
      elsewhere: [],
    });

  it('sees every pod reach every other in both families', async () => {
    const cells = await reach.reachability(names, signal);
    expect(cells).to.have.length(22 * 21 * 2);
    expect(cells.filter((cell) => cell.sent !== 3 || cell.received !== 3)).to.deep.equal([]);
    expect((await judge('before')).confirmed).to.equal(true);
  });

  it('confirms a cut and its heal, each in an interval that holds the commit', async () => {
    const watch = reach.watchLinks(linksToWatch(ASKED), 10);
    await watch.started;
    const cutMs = nowMs();
    await nft.execute(cutCommand('test', topology, bothWays));
    const isCutMs = nowMs();
    await sleep(500);
    const during = await judge('during', await watch.stop());
    expect(during.confirmed, during.measured).to.equal(true);
    const [from = 0, to = 0] = during.betweenMs ?? [];
    // The commit lies between cutMs and isCutMs, and between from and to: the two must overlap.
    expect(from, during.measured).to.be.below(isCutMs);
    expect(to, during.measured).to.be.above(cutMs);

    const again = reach.watchLinks(linksToWatch(ASKED), 10);
    await again.started;
    const healMs = nowMs();
    await nft.execute(healCommand('test'));
    const healedMs = nowMs();
    await sleep(500);
    const after = await judge('after-heal', await again.stop());
    expect(after.confirmed, after.measured).to.equal(true);
    const [last = 0, first = 0] = after.betweenMs ?? [];
    expect(last, after.measured).to.be.below(healedMs);
    expect(first, after.measured).to.be.above(healMs);
  });

  const insufficient: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['nothing', [cutCommand('test', topology, [])], /of 144 links in the cut 0 lose everything and 144 nothing/],
    [
      'IPv4 only, with IPv6 passing as it does in Chaos Mesh',
      [cutCommand('test', topology, bothWays).replaceAll('iifname . oifname', 'ether type ip iifname . oifname')],
      /IPv6 still passes: .* and 68 more/,
    ],
    ['one direction', [cutCommand('test', topology, bothWays.slice(0, 1))], /still passing: .*-us-east1>.*-us-central1/],
    [
      'all but one pair',
      [
        cutCommand('test', topology, [
          { act: 'cut', from: WEST, to: EAST },
          { act: 'cut', from: EAST.slice(1), to: WEST },
        ]),
      ],
      /still passing: api-us-east1>/,
    ],
    [
      'one link too many',
      [cutCommand('test', topology, [...bothWays, { act: 'cut', from: ['dns'], to: ['operator'] }])],
      /outside the cut, but losing: dns>operator\/4 \(0 of 3 came in\), dns>operator\/6/,
    ],
  ];
  for (const [what, commands, says] of insufficient)
    it(`does not confirm a cut of ${what}`, async () => {
      for (const command of commands) await nft.execute(command);
      const effect = await judge('during');
      expect(effect.confirmed, effect.measured).to.equal(false);
      expect(effect.measured).to.match(says);
    });

  it('does not confirm a heal that left a link cut', async () => {
    await nft.execute(cutCommand('test', topology, [{ act: 'cut', from: ['db-us-east1'], to: ['db-us-central1'] }]));
    const effect = await judge('after-heal');
    expect(effect.confirmed).to.equal(false);
    expect(effect.measured).to.match(/not healed: db-us-east1>db-us-central1\/4 \(0 of 3 came in\), db-us-east1>db-us-central1\/6/);
  });

  it('reports a namespace that is not there', async () => {
    const nowhere = { name: 'nowhere', netnsPath: `${NETNS_FOLDER}/nowhere`, ipv4: '10.77.7.7', ipv6: 'fd77::7:7' };
    const error = await Reach.start([nowhere], originNs, signal).catch((thrown: unknown) => thrown);
    expect(error)
      .to.be.instanceOf(HarnessError)
      .with.property('message')
      .that.matches(/no probe sockets in nowhere .*nsenter/s);
  });

  it('refuses a pod that it does not know, and can be closed twice', async () => {
    const error = await reach.reachability(['dns', 'nobody'], signal).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(HarnessError).with.property('message', 'no pod nobody in this lab');
    const other = await Reach.start([{ ...podNamed(topology, 'dns'), ...place('dns') }], originNs, signal);
    await other.close();
    await other.close();
    expect(await other.reachability(['dns'], signal).catch((thrown: unknown) => thrown)).to.be.instanceOf(HarnessError);
  });
});

describe('processes of a pod', () => {
  before(async () => {
    requireSandbox();
    await makeNetwork(topology, signal);
  });
  after(() => removeNetwork(topology));

  it('are found by their namespace, also when the parent is gone, and not after they died', async () => {
    const [program, ...args] = inNetns('db-us-east1', ['sh', '-c', 'sleep 60 & echo $!; exec sleep 60']);
    const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer];
    const orphan = Number(line.toString());
    const pids = async (): Promise<readonly number[]> => (await processesIn([place('db-us-east1'), place('dns')])).map((one) => one.pid);
    try {
      expect(await pids()).to.have.members([child.pid, orphan]);
      const find = async () => (await processesIn([place('db-us-east1')])).find(({ pid }) => pid === orphan);
      // It is the shell still until it has become what the shell was asked to start.
      for (let tries = 0; (await find())?.command !== 'sleep' && tries < 1000; tries++) await sleep(10);
      expect(await find()).to.deep.include({ pod: 'db-us-east1', command: 'sleep' });
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await pids()).to.deep.equal([orphan]);
    } finally {
      process.kill(orphan, 'SIGKILL');
      child.kill('SIGKILL');
    }
    for (let tries = 0; (await pids()).length > 0 && tries < 1000; tries++) await sleep(10);
    expect(await pids()).to.deep.equal([]);
  });
});
