import { duration, plural, recoveryText, whole } from '../figures.ts';
import type { ResultDocument, ResultFault } from '../result-shape.ts';
import { machineText } from '../machine-text.ts';
import { systemText } from '../system-text.ts';
import { mark } from './header.ts';
import { html, type Content, type Markup } from './markup.ts';
import { sinceZero } from './overview-chart.ts';
import { figures, table, words } from './table.ts';

const MOST_LOST_SHOWN = 200;

const GRAVITY = ['fail', 'inconclusive', 'warn', 'pass'] as const;

export function findings(result: ResultDocument): Markup {
  const sorted = GRAVITY.flatMap((outcome) => result.findings.filter((one) => one.outcome === outcome));
  const skipped = result.findings.filter((one) => one.outcome === 'skipped');
  return html`${list(sorted)}
  ${
    skipped.length === 0
      ? null
      : html`<details>
          <summary>${plural(skipped.length, 'check')} that this scenario does not ask for</summary>
          ${list(skipped)}
        </details>`
  }`;
}

function list(findings: ResultDocument['findings']): Markup {
  const rows = findings.map(
    (finding) =>
      html`<li class="finding">
        ${mark(finding.outcome)}
        <b>${finding.check}</b>
        <div>
          <p>${finding.message}</p>
          ${finding.evidence.length === 0 ? null : html`<small>events.ndjson, ${lines(finding.evidence)}</small>`}
        </div>
      </li>`,
  );
  return html`<ul class="findings">
    ${rows}
  </ul>`;
}

function lines(evidence: readonly number[]): string {
  const shown = evidence.slice(0, 12).join(', ');
  return `line${evidence.length === 1 ? '' : 's'} ${shown}${evidence.length > 12 ? ` and ${evidence.length - 12} more` : ''}`;
}

export function orders(result: ResultDocument): Markup {
  return table(
    [words('command'), figures('given at'), figures('took'), figures('exit code')],
    result.orders.map(
      ({ command, givenMs, endedMs, exitCode }) =>
        html`<tr>
          <td><code>${command}</code></td>
          <td class="n">${duration(givenMs)}</td>
          <td class="n">${duration(endedMs - givenMs)}</td>
          <td class="n">${exitCode ?? 'killed'}</td>
        </tr>`,
    ),
  );
}

export function faultCard(fault: ResultFault): Markup {
  return html`<dl class="facts">
      ${fact('manifest', html`<code>${fault.manifestFile}</code> <small title="sha256 ${fault.manifestSha256}">sha256 ${fault.manifestSha256.slice(0, 12)}…</small>`)}
      ${fact('what', `${fault.kind} ${fault.action}, mode ${fault.mode}`)} ${fact('pods', pods(fault))}
      ${fact('lasts', fault.durationMs === null ? 'until it is healed' : duration(fault.durationMs))}
      ${fact('time to inject', fault.injectionLatencyMs === null ? 'not seen' : duration(fault.injectionLatencyMs))}
      ${fact('skew', fault.injectionSkewMs === null ? 'not seen' : `${fault.injectionSkewMs.toFixed(1)} ms between the first and the last link or process`)}
    </dl>
    ${effects(fault)}
    ${
      fault.notes.length === 0
        ? null
        : html`<ul class="quiet">
            ${fault.notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
    }`;
}

function pods({ sources, targets }: ResultFault): string {
  const names = (list: ResultFault['sources']): string => list.map((one) => one.pod).join(', ');
  return targets.length === 0 ? names(sources) : `${names(sources)} ⇹ ${names(targets)}`;
}

function effects(fault: ResultFault): Markup {
  if (fault.effects.length === 0) return html`<p class="alarm">No probe saw what this fault did.</p>`;
  return table(
    [words('moment'), words('asked'), words('measured by independent probes'), words('')],
    fault.effects.map(
      (one) =>
        html`<tr>
          <td>${one.moment}</td>
          <td>${one.asked}</td>
          <td>${one.measured}</td>
          <td>${mark(one.confirmed ? 'pass' : 'inconclusive')}</td>
        </tr>`,
    ),
  );
}

const fact = (name: string, value: Content): Markup =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

export function vantages(result: ResultDocument): Markup {
  const rows = result.vantages.map(
    (one) =>
      html`<tr>
        <td>${one.vantage} ${one.mustRecover ? null : html`<small>not judged</small>`}</td>
        <td class="n">${whole(one.good)}</td>
        <td class="n">${whole(one.slow)}</td>
        <td class="n">${whole(one.failed)}</td>
        <td class="n">${whole(one.unknown)}</td>
        <td class="n">${one.latencyMs === null ? '–' : duration(one.latencyMs.p50)}</td>
        <td class="n">${one.latencyMs === null ? '–' : duration(one.latencyMs.p99)}</td>
        <td class="n">${one.recovery.map((recovery) => recoveryText(recovery.recovery)).join(', ') || '–'}</td>
      </tr>`,
  );
  return table(
    [
      words('vantage'),
      figures('good'),
      figures('slow'),
      figures('failed'),
      figures('no answer'),
      figures('p50'),
      figures('p99'),
      figures('recovery'),
    ],
    rows,
  );
}

export function writes(result: ResultDocument): Markup {
  const { writes: account } = result;
  const copy =
    account.readBackRegion === null
      ? 'No region’s copy could be read, so nothing can be said about what survived.'
      : `Compared with the copy of ${account.readBackRegion}, read back after the run.`;
  const wrong = [
    [account.holes, 'hole', 'holes'],
    [account.resurrected, 'deleted key that is there again', 'deleted keys that are there again'],
    [account.phantoms, 'write that was refused and is there', 'writes that were refused and are there'],
    [account.foreign, 'entry that nobody wrote', 'entries that nobody wrote'],
  ] as const;
  const found = wrong.filter(([count]) => count > 0).map(([count, one, many]) => plural(count, one, many));
  return html`<p>
      ${plural(account.issued, 'write')} issued: ${whole(account.acknowledged)} acknowledged, ${whole(account.failed)} refused,
      ${whole(account.unknown)} without an answer. ${copy}
    </p>
    ${found.length === 0 ? null : html`<p class="alarm">${found.join(', ')}.</p>`} ${lostTable(result)}`;
}

function lostTable({ writes: account, faults }: ResultDocument): Markup {
  if (account.readBackRegion === null) return html``;
  if (account.lost.length === 0)
    return account.lostOfBulk === 0 ? html`<p>${mark('pass')} No acknowledged write is missing.</p>` : lostBulk(account);
  const zeroMs = faults[0]?.points.t1Effect ?? 0;
  const rows = account.lost.slice(0, MOST_LOST_SHOWN).map(
    (one) =>
      html`<tr>
        <td><code>${one.key}</code></td>
        <td>${one.op}</td>
        <td>${one.vantage}</td>
        <td>${one.region ?? 'unknown'}</td>
        <td class="n">${duration(one.completedMs - zeroMs)}</td>
        <td class="n">${one.line}</td>
      </tr>`,
  );
  const rest = account.lost.length - rows.length;
  return html`${table([words('key'), words('op'), words('vantage'), words('acknowledged by'), figures(sinceZero({ faults })), figures('line')], rows)}
    <p class="quiet">
      ${rest > 0 ? `… and ${plural(rest, 'other')}, all in result.json. ` : ''}${
        account.unsaved === 0
          ? 'Every one of them is kept in a file that the old primary exported.'
          : `${plural(account.unsaved, 'of them is', 'of them are')} in no exported file either.`
      }
    </p>
    ${account.lostOfBulk === 0 ? null : lostBulk(account)}`;
}

function lostBulk({ lostOfBulk }: ResultDocument['writes']): Markup {
  return html`<p class="alarm">${plural(lostOfBulk, 'acknowledged write')} of a bulk load ${lostOfBulk === 1 ? 'is' : 'are'} missing.</p>`;
}

export function engineClaims(result: ResultDocument): Markup {
  if (result.engineClaims.length === 0) return html`<p class="quiet">The engine logged nothing of this kind.</p>`;
  const zeroMs = result.faults[0]?.points.t1Effect ?? 0;
  const rows = result.engineClaims.slice(0, 100).map(
    (one) =>
      html`<tr>
        <td class="n">${one.atMs >= zeroMs ? '+' : ''}${duration(one.atMs - zeroMs)}</td>
        <td>${one.pod}</td>
        <td><code>${one.action}</code></td>
        <td>${one.detail}</td>
      </tr>`,
  );
  return html`<details>
    <summary>${plural(result.engineClaims.length, 'line')} of its log, recorded beside and never used to measure</summary>
    <div class="wide">
      <table>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </details>`;
}

export function environment(result: ResultDocument): Markup {
  const { environment: machine, scenario } = result;
  return html`<dl class="facts">
    ${fact('run', html`<code>${result.runId}</code>, ${duration(result.durationMs)}`)}
    ${fact('scenario', html`<code>${scenario.file}</code>`)} ${fact('system', systemText(scenario))}
    ${fact('load', `an operation every ${duration(scenario.workload.periodMs)} per vantage, good within ${duration(scenario.workload.goodWithinMs)}`)}
    ${fact('seed', machine.seed)}
    ${fact('machine', `${machine.kernel}, ${plural(machine.cpus, 'CPU')}, node ${machine.node}, as ${machine.user}`)}
    ${fact('meanwhile', machineText(result) ?? 'not watched')}
    ${fact(
      'versions',
      Object.entries(machine.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ') || 'not recorded',
    )}
  </dl>`;
}
