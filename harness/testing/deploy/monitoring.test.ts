import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { z } from 'zod';
import { queriesOf, readDashboard } from './dashboard.ts';

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

  describe('dashboard', () => {
    const dashboard = readDashboard();

    it('has every panel in a place of its own, within the width that Grafana has', () => {
      const ids = dashboard.panels.map(({ id }) => id);
      expect(new Set(ids).size).to.equal(ids.length);
      const taken = new Set<string>();
      for (const { title, gridPos } of dashboard.panels) {
        expect(gridPos.x + gridPos.w, title).to.be.at.most(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x},${y}`), `${title} lies over another panel`).to.equal(false);
            taken.add(`${x},${y}`);
          }
      }
    });

    it('asks by no name of a data source or a region, only by its variables', () => {
      const text = readFileSync(path.join(FOLDER, 'dashboard.json'), 'utf8');
      expect([...text.matchAll(/"uid": "([^"]*)"/g)].map((match) => match[1]).filter((uid) => uid !== 'coditect-dr')).to.satisfy(
        (uids: readonly string[]) => uids.length > 30 && uids.every((uid) => uid === '${datasource}'),
      );
      expect(text).not.to.match(/us-central1|us-east1|europe-west1/);
      expect(dashboard.templating.list.map(({ name }) => name)).to.deep.equal(['datasource', 'region']);
    });

    it('promtool: every query is PromQL', function () {
      if (spawnSync('promtool', ['--version']).status !== 0) return this.skip(); // no promtool: apt-get install prometheus
      this.timeout(90_000);
      const queries = queriesOf(dashboard);
      expect(queries.length).to.be.greaterThan(30);
      const check = (rules: readonly object[]) => {
        const folder = mkdtempSync(path.join(tmpdir(), 'dashboard-'));
        const file = path.join(folder, 'rules.yaml');
        writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
        const checked = promtool('check', 'rules', '--lint=none', file);
        rmSync(folder, { recursive: true });
        return checked;
      };
      const { status, output } = check(queries.map(({ expr }, n) => ({ record: `panel:${n}`, expr })));
      expect(status, output).to.equal(0);
      expect(check([{ record: 'panel:none', expr: 'sum by region (up)' }]).status, 'promtool takes anything').not.to.equal(0);
    });
  });
});
