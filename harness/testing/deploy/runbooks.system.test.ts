import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { PORTS, type App } from '../../platform/local/topology.ts';
import { findTool } from '../../platform/tools.ts';
import { metricsOf, queriesOf, readDashboard } from './dashboard.ts';
import { startTestLab, WITH_BUCKET, type TestLab } from './lab-for-tests.ts';
import { commandsOf, type Typed } from './shell-blocks.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const RUNBOOKS = path.join(ROOT, 'docs/runbooks');
/** Said of input that is no command, or of a file that is not there: the page is wrong. */
const NOT_A_COMMAND = /unknown (command|option)|missing required|too many arguments|No such file|command not found/i;
const LIMIT_SECONDS = 60;
const METRICS_PORT = 7444;
const OPERATOR_TLS = '--cacert tls/ca.crt --cert tls/tls.crt --key tls/tls.key';
const PROGRAMS: readonly App[] = ['api', 'db', 'dr-controller'];
/** Locks out whoever has the old key, so nothing comes after it. */
const LAST = 'key-rotation.md';
const PODS = { operator: 'operator', backup: 'backup-us-central1', restore: 'restore', pair: 'operator' } as const;
const { signal } = new AbortController();

type Said = Awaited<ReturnType<TestLab['shell']>>;

const pages = readdirSync(RUNBOOKS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .toSorted()
  .map((file) => ({ file, commands: commandsOf(readFileSync(path.join(RUNBOOKS, file), 'utf8')).filter(({ place }) => place !== 'pair') }))
  .filter(({ commands }) => commands.length > 0);

/**
 * Every command of the runbooks, typed in a running lab in the order in which the pages have them. Of an operator's commands 0 and 1 are answers (`nothing to acknowledge` is 1);
 * 2 is what the engine says of input that it does not understand, 3 that nobody answered. Whatever is done with backups has to succeed.
 */
describe('runbooks: every command exists and does what the page says', function () {
  this.timeout(300_000);
  let system: TestLab;
  let withBucket = false;
  before(async () => {
    requireSandbox();
    withBucket = findTool('fake-gcs-server') !== undefined;
    system = await startTestLab(signal, withBucket ? WITH_BUCKET : null);
    if (withBucket) await makeBackups();
    else process.stdout.write('    skipped: what is typed beside a bucket: no fake-gcs-server (./scripts/setup)\n');
  });
  after(() => system?.close());

  /** A backup service as an operator would have started it, which shows its metrics, and its first backup. */
  async function makeBackups(): Promise<void> {
    // What the pages restore a part of. Where all programs have just started on a busy machine, no standby may be in sync yet.
    const put = `curl -sS --max-time 5 --fail-with-body ${OPERATOR_TLS} -X PUT --data one https://10.77.1.10:8443/v1/kv/orders/1`;
    await until('a record', put, PODS.operator, ({ code }) => code === 0);
    await type({ place: 'backup', command: 'coditect-dr backup init' });
    const script = `export CODITECT_DR_BACKUP_LISTEN_HOST=127.0.0.1 CODITECT_DR_BACKUP_LISTEN_PORT=${METRICS_PORT} CODITECT_DR_BACKUP_INTERVAL_SECONDS=600
      exec "$1" "$2" backup-service --config config.yaml`;
    system.lab.runInPod(PODS.backup, 'bash', ['-c', script, 'bash', process.execPath, path.join(ROOT, 'dist/src/main.js')]);
    await until('a first backup', 'coditect-dr backup list --json', PODS.backup, ({ output }) => output.includes('"backupId"'));
  }

  async function until(what: string, command: string, pod: string, holds: (said: Said) => boolean): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += 500) {
      const said = await system.shell(command, LIMIT_SECONDS, pod);
      if (holds(said)) return;
      if (waitedMs > 60_000) throw new Error(`not ${what} in time: ${said.output}`);
      await sleep(500);
    }
  }

  async function type({ place, command }: Typed): Promise<void> {
    const { code, output } = await system.shell(command.replace(/^watch -n1 /, ''), LIMIT_SECONDS, PODS[place]);
    expect(output, command).not.to.match(NOT_A_COMMAND);
    expect(code, `${command}\n${output}`).to.be.oneOf(place === 'operator' ? [0, 1] : [0]);
    if (command.includes('backup restore')) expect(output, command).to.match(/nothing missing, nothing extra/);
  }

  function typed({ file, commands }: (typeof pages)[number]): void {
    it(`${file}: ${commands.length}`, async function () {
      const possible = commands.filter(({ place }) => place === 'operator' || withBucket);
      if (possible.length === 0) return this.skip();
      for (const one of possible) await type(one);
    });
  }

  for (const page of pages) if (page.file !== LAST) typed(page);

  it('the dashboard asks for nothing that the programs do not show', async function () {
    if (!withBucket) return this.skip();
    const { pods } = system.lab.topology;
    const urls = pods.flatMap(({ app, ipv4 }) => (PROGRAMS.includes(app) ? [`https://${ipv4}:${PORTS[app as 'api']}/metrics`] : []));
    const scraped = await system.shell(`curl -sS --max-time 5 ${OPERATOR_TLS} ${urls.join(' ')}`, LIMIT_SECONDS);
    const ofBackups = await system.shell(`curl -sSk --max-time 5 https://127.0.0.1:${METRICS_PORT}/metrics`, LIMIT_SECONDS, PODS.backup);
    const shown = new Set(`${scraped.output}\n${ofBackups.output}`.match(/^coditect_dr_[a-z_]+/gm));
    expect(shown.size, scraped.output.slice(0, 500)).to.be.greaterThan(30);
    // A counter of what has not happened has no sample yet, but is told of.
    const told = new Set([...`${scraped.output}\n${ofBackups.output}`.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]));
    for (const query of queriesOf(readDashboard()))
      for (const metric of metricsOf(query)) {
        const base = metric.replace(/_(bucket|sum|count)$/, '');
        expect(shown.has(metric) || told.has(metric) || told.has(base), `${query.of}: ${metric}`).to.equal(true);
      }
  });

  for (const page of pages) if (page.file === LAST) typed(page);
});
