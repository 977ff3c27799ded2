import type { ResultBackups } from '../backup-shape.ts';
import { bytes, duration, span, whole } from '../figures.ts';
import { mark } from './header.ts';
import { html, type Markup } from './markup.ts';
import { figures, table, words } from './table.ts';

/** Backups, restores, damage and bulk load, as far as the run had them. */
export function backups(of: ResultBackups): Markup {
  return html`${of.made.length === 0 ? null : made(of)} ${of.restores.length === 0 ? null : restores(of)}
    ${of.damage.length === 0 ? null : damage(of)} ${of.bulk.length === 0 ? null : bulk(of)}
    <p class="quiet">
      ${of.recoveryPoint === null ? null : html`Newest proved backup when ${of.recoveryPoint.fault} took effect: ${duration(of.recoveryPoint.ageMs)} old. `}
      Sizes are of the objects in the store and of the restored copies, as this harness found them; a copy is proved by the clients’ own
      ledger.
      ${of.checks.length === 0 ? null : html`The engine’s own checks: ${of.checks.map((check) => `${check.command} ${duration(check.elapsedMs)}, exit code ${check.exitCode ?? 'killed'}`).join('; ')}.`}
    </p>`;
}

const exit = (code: number | null): string => (code === null ? 'killed' : String(code));

function made(of: ResultBackups): Markup {
  return table(
    [
      words('backup'),
      words('made by'),
      figures('took'),
      figures('objects'),
      figures('stored'),
      figures('data'),
      figures('data/s'),
      figures('ratio'),
      figures('exit code'),
    ],
    of.made.map(
      (one) =>
        html`<tr>
          <td>${one.name ?? 'unnamed'} <small>${one.id ?? 'none was made'}</small></td>
          <td>${one.pod}</td>
          <td class="n">${duration(one.elapsedMs)}</td>
          <td class="n">${whole(one.objects)}</td>
          <td class="n">${bytes(one.storedBytes)}</td>
          <td class="n">${one.logicalBytes === null ? '–' : bytes(one.logicalBytes)}</td>
          <td class="n">${one.logicalBytesPerSecond === null ? '–' : `${bytes(one.logicalBytesPerSecond)}/s`}</td>
          <td class="n">${one.ratio === null ? '–' : one.ratio.toFixed(2)}</td>
          <td class="n">${exit(one.exitCode)}</td>
        </tr>`,
    ),
  );
}

function restores(of: ResultBackups): Markup {
  return table(
    [words('restored'), words('command'), figures('took'), figures('exit code'), figures('entries'), words('against the ledger')],
    of.restores.map(
      (one) =>
        html`<tr>
          <td>${one.name}</td>
          <td><code>${one.command}</code></td>
          <td class="n">${duration(one.elapsedMs)}</td>
          <td class="n">${exit(one.exitCode)}</td>
          <td class="n">${whole(one.entries + one.bulkEntries)}</td>
          <td>${against(one)}</td>
        </tr>`,
    ),
  );
}

function against({ live, matches, stateMs, problems }: ResultBackups['restores'][number]): Markup {
  if (live) return html`judged with its region`;
  if (matches === null) return html`no copy`;
  if (stateMs === null) return html`${mark('fail')} ${problems.join('; ')}`;
  return html`${mark('pass')} the state of ${span(stateMs.fromMs, stateMs.toMs)}`;
}

function damage(of: ResultBackups): Markup {
  return html`<ul>
    ${of.damage.map((one) => html`<li><b>${one.how}</b> ${one.done.join('; ')}</li>`)}
  </ul>`;
}

function bulk(of: ResultBackups): Markup {
  return table(
    [
      words('bulk load (k6)'),
      figures('sent'),
      figures('dropped'),
      figures('failed'),
      figures('per second'),
      figures('median'),
      figures('p95'),
    ],
    of.bulk.map(
      (one) =>
        html`<tr>
          <td>${one.name}${one.crossed.length === 0 ? null : html` <small>crossed: ${one.crossed.join(', ')}</small>`}</td>
          <td class="n">${whole(one.iterations)}</td>
          <td class="n">${whole(one.dropped)}</td>
          <td class="n">${(one.failedShare * 100).toFixed(1)} %</td>
          <td class="n">${one.perSecond.toFixed(1)}</td>
          <td class="n">${one.latencyMs === null ? '–' : duration(one.latencyMs.median)}</td>
          <td class="n">${one.latencyMs === null ? '–' : duration(one.latencyMs.p95)}</td>
        </tr>`,
    ),
  );
}
