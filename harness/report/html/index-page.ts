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

/** A run that goes on, was broken off, or whose record can no longer be judged. */
export interface UnjudgedRun {
  readonly folder: string;
  /** Whether it has a page that says why. */
  readonly hasPage: boolean;
}

/** `reports/index.html`: every run that is there, the newest first; those without a verdict above all others. */
export function indexPage(runs: readonly IndexedRun[], unjudged: readonly UnjudgedRun[]): string {
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
  const without = unjudged
    .toSorted((one, other) => other.folder.localeCompare(one.folder))
    .map(
      ({ folder, hasPage }) =>
        html`<tr>
          <td>${mark('inconclusive')}</td>
          <td>${hasPage ? html`<a href="${encodeURIComponent(folder)}/report.html">${folder}</a>` : folder}</td>
          <td colspan="5">not judged: it goes on, was broken off, or its record is not whole</td>
        </tr>`,
    );
  const body = html`<h1>Game days</h1>
    <section class="card after">
      ${table([words(''), words('scenario'), words('started (UTC)'), figures('recovery'), figures('recovery point'), figures('lost'), figures('took')], [without, rows])}
      ${rows.length + without.length === 0 ? html`<p class="quiet">No run yet: <code>npm run -s gameday -- run</code></p>` : null}
    </section>`;
  return document('Game days', body);
}
