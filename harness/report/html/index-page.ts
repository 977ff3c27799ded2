import { duration } from '../figures.ts';
import type { ResultDocument } from '../result-shape.ts';
import { mark } from './header.ts';
import { html } from './markup.ts';
import { document } from './page.ts';
import { figures, table, words } from './table.ts';

export interface IndexedRun {
  /** Folder of the run, beside the index. */
  readonly folder: string;
  readonly result: ResultDocument;
}

/** `reports/index.html`: every run that is there, the newest first. */
export function indexPage(runs: readonly IndexedRun[]): string {
  const sorted = [...runs].sort((one, other) => other.result.startedWall.localeCompare(one.result.startedWall));
  const rows = sorted.map(({ folder, result }) => {
    const text = (name: string): string => result.targets.find((target) => target.name === name)?.text ?? '–';
    return html`<tr>
      <td>${mark(result.verdict.outcome)}</td>
      <td><a href="${encodeURIComponent(folder)}/report.html">${result.scenario.name}</a></td>
      <td>${result.startedWall.slice(0, 16).replace('T', ' ')}</td>
      <td class="n">${text('recovery-time')}</td>
      <td class="n">${text('recovery-point')}</td>
      <td class="n">${text('lost-writes')}</td>
      <td class="n">${duration(result.durationMs)}</td>
    </tr>`;
  });
  const body = html`<h1>Game days</h1>
    <section class="card after">
      ${table([words(''), words('scenario'), words('started (UTC)'), figures('recovery'), figures('recovery point'), figures('lost'), figures('took')], rows)}
      ${rows.length === 0 ? html`<p class="quiet">No run yet: <code>npm run -s gameday -- run</code></p>` : null}
    </section>`;
  return document('Game days', body);
}
