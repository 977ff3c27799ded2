import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { PodProgram } from '../../platform/platform.ts';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { podNamed, PORTS, type App } from '../../platform/local/topology.ts';
import { startTestLab, type TestLab } from './lab-for-tests.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../../deploy/monitoring');
const JOBS: Readonly<Record<string, App>> = { 'coditect-api': 'api', 'coditect-database': 'db', 'coditect-dr-controller': 'dr-controller' };
const configShape = z.looseObject({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) });
const rulesShape = z.object({ groups: z.array(z.looseObject({ rules: z.array(z.looseObject({ for: z.string().optional() })) })) });
const answerShape = z.object({
  data: z.object({ alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })) }),
});
const FIRED_WITHIN_MS = 60_000;
/** So long nothing may fire; on a busy machine a scrape that came too late is told of as what it could be, and is over with the next. */
const QUIET_MS = 3000;
const { signal } = new AbortController();

/** No `for` is longer: that of BackupServiceAbsent, which ends the wait for quiet, is 15 minutes. Those of the others keep their order below it. */
const LONGEST_FOR_SECONDS = 12;

/** The shipped rules and scrape configuration, faster: a sample each second, and periods of `for` in which a minute is two seconds. */
function shipped(system: TestLab): { readonly config: string; readonly rules: string } {
  const { topology } = system.lab;
  const config = configShape.parse(parse(readFileSync(path.join(FOLDER, 'prometheus.yaml'), 'utf8')));
  const scrape_configs = config.scrape_configs.flatMap((job) => {
    const app = JOBS[job.job_name];
    if (app === undefined) return [];
    const static_configs = topology.regions.map((region) => ({
      targets: [`${podNamed(topology, `${app}-${region}`).ipv4}:${PORTS[app as 'api']}`],
      labels: { region },
    }));
    return [{ ...job, static_configs }];
  });
  const rules = rulesShape.parse(parse(readFileSync(path.join(FOLDER, 'alerts.yaml'), 'utf8')));
  const faster = (period: string): string =>
    period.endsWith('m') ? `${Math.min(2 * Number.parseInt(period), LONGEST_FOR_SECONDS)}s` : period.endsWith('s') ? '2s' : period;
  const groups = rules.groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => (rule.for === undefined ? rule : { ...rule, for: faster(rule.for) })),
  }));
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '500ms' };
  return { config: stringify({ ...config, global, scrape_configs }), rules: stringify({ groups }) };
}

describe('alerts on a running lab, scraped by Prometheus', () => {
  let system: TestLab;
  let prometheus: PodProgram;

  before(async function () {
    requireSandbox();
    if (spawnSync('prometheus', ['--version']).status !== 0) return this.skip(); // no prometheus: apt-get install prometheus
    system = await startTestLab(signal);
    const { config, rules } = shipped(system);
    // Written from within the pod: its folder is nobody else's. The configuration's TLS paths are those of the pod.
    const script = `mkdir prom && ln -s ../tls prom/tls && printf %s "$1" > prom/prometheus.yaml && printf %s "$2" > prom/alerts.yaml &&
      exec prometheus --config.file=prom/prometheus.yaml --storage.tsdb.path=prom/data --web.listen-address=127.0.0.1:9090 --log.level=warn`;
    prometheus = system.lab.runInPod('operator', 'bash', ['-c', script, 'bash', config, rules]);
  });
  after(async () => {
    prometheus?.kill();
    await system?.close();
  });

  async function firing(): Promise<readonly string[]> {
    const { code, output } = await system.shell('curl -sS --max-time 2 http://127.0.0.1:9090/api/v1/alerts', 5);
    if (code !== 0) return ['no answer'];
    const { alerts } = answerShape.parse(JSON.parse(output)).data;
    return alerts
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => `${labels['alertname']}${labels['region'] === undefined ? '' : ` ${labels['region']}`}`);
  }
  async function until(what: string, holds: (alerts: readonly string[]) => boolean): Promise<readonly string[]> {
    for (let waitedMs = 0; ; waitedMs += 500) {
      const alerts = await firing();
      if (holds(alerts)) return alerts;
      if (waitedMs > FIRED_WITHIN_MS) throw new Error(`${what}: not seen; firing: ${alerts.join(', ') || 'nothing'}`);
      await sleep(500);
    }
  }
  // No backup service runs in this lab, and its absence is told.
  const ofFailover = (alerts: readonly string[]): readonly string[] => alerts.filter((alert) => !alert.startsWith('Backup'));

  it('nothing fires while all is well; a lost region is told by its name, and the alerts are over when it is back', async () => {
    // Before the first scrapes have come in everything is absent; that no backup service runs here takes longest to be told, so by then all has been seen.
    let quietSinceMs = Infinity;
    await until('quiet', (alerts) => {
      const isQuiet = ofFailover(alerts).length === 0 && alerts.includes('BackupServiceAbsent');
      quietSinceMs = isQuiet ? Math.min(quietSinceMs, performance.now()) : Infinity;
      return performance.now() - quietSinceMs > QUIET_MS;
    });
    const pods = system.lab.pods().filter(({ region, labels }) => region === 'us-central1' && labels['app'] !== 'client');
    const lost = system.lab.injection([{ act: 'pod-hold', pods: pods.map(({ name }) => name) }]);
    await lost.apply(signal);
    const told = await until(
      'the loss, and of no other region',
      (alerts) =>
        alerts.includes('PrimaryRegionDown us-central1') &&
        alerts.filter((one) => one.startsWith('RegionDown')).join() === 'RegionDown us-central1',
    );
    expect(told).not.to.include('EpochConflict');
    await until('the new primary', (alerts) => !alerts.includes('NoWritablePrimary'));
    await lost.heal(signal);
    await until('the end', (alerts) => !alerts.some((alert) => /RegionDown|ControllerAbsent|NoWritablePrimary|InSync/.test(alert)));
  });
});
