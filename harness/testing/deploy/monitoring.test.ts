import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const FOLDER = path.join(ROOT, 'deploy/monitoring');
const rulesShape = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ alert: z.string(), labels: z.object({ severity: z.string() }), annotations: z.record(z.string(), z.string()) }),
      ),
    }),
  ),
});

function promtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8', timeout: 60_000 });
  return { status, output: `${stdout}${stderr}` };
}

describe('deploy/monitoring', () => {
  const alerts = rulesShape.parse(parse(readFileSync(path.join(FOLDER, 'alerts.yaml'), 'utf8'))).groups.flatMap(({ rules }) => rules);
  const stories = readFileSync(path.join(FOLDER, 'alerts.test.yaml'), 'utf8');

  for (const { alert, labels, annotations } of alerts) {
    it(`${alert} has a runbook, a summary, a severity, and a story in which it fires`, () => {
      expect(labels.severity).to.be.oneOf(['critical', 'warning', 'info']);
      expect(annotations).to.include.keys('summary', 'description', 'runbook_url');
      expect(annotations['runbook_url']).to.equal(`docs/runbooks/alerts/${alert}.md`);
      expect(existsSync(path.join(ROOT, annotations['runbook_url'] ?? '')), 'the runbook is there').to.equal(true);
      expect(stories).to.include(`runbook_url: docs/runbooks/alerts/${alert}.md`);
    });
  }

  it('promtool: every story comes out as told, and the rules and the scrape configuration are valid', function () {
    if (spawnSync('promtool', ['--version']).status !== 0) return this.skip(); // no promtool: apt-get install prometheus
    this.timeout(90_000);
    for (const args of [
      ['check', 'rules', 'alerts.yaml'],
      ['check', 'config', '--syntax-only', 'prometheus.yaml'],
      ['test', 'rules', 'alerts.test.yaml'],
    ]) {
      const { status, output } = promtool(...args);
      expect(status, output).to.equal(0);
    }
  });
});
