import { duration, recoveryText } from '../figures.ts';
import type { ResultDocument, ResultTarget } from '../result-shape.ts';
import { askedText } from '../summary.ts';
import { html, type Markup } from './markup.ts';
import { figures, table, words } from './table.ts';

const VERDICT = { pass: 'Passed', fail: 'Failed', inconclusive: 'Inconclusive' } as const;
const SIGN = { pass: '✓', fail: '✕', inconclusive: '?', warn: '!', skipped: '–' } as const;
const FIGURE = {
  'recovery-time': { title: 'Recovery time', what: 'from the effect of the fault until clients were served again for good' },
  'write-pause': { title: 'Pause of writes', what: 'longest time without an acknowledged write' },
  'brown-out': { title: 'Brown-out', what: 'for how long answers came too late, where no outage may be' },
  'recovery-point': { title: 'Recovery point', what: 'how much acknowledged time was lost' },
  'backup-age': { title: 'Age of the backup', what: 'of the newest one that a restore proved, when the fault took effect' },
  'restore-time': { title: 'Restore', what: 'the longest one, from the order to its end' },
  'lost-writes': { title: 'Lost writes', what: 'acknowledged, and gone after recovery' },
} as const;

export function mark(outcome: keyof typeof SIGN): Markup {
  return html`<span class="mark ${outcome}" role="img" aria-label="${outcome}">${SIGN[outcome]}</span>`;
}

/** The verdict and the three figures: all that most readers want. */
export function pageHeader(result: ResultDocument): Markup {
  const { scenario, verdict } = result;
  return html`<header class="${verdict.outcome}">
      <p class="eyebrow">Game day · ${result.startedWall.slice(0, 16).replace('T', ' ')} UTC</p>
      <h1>${scenario.name} <span class="pill ${verdict.outcome}">${VERDICT[verdict.outcome]}</span></h1>
      <p class="reason">${verdict.reason}</p>
      <p class="question">${scenario.question}</p>
    </header>
    ${aborted(result)}
    <div class="figures">${result.targets.map((target) => figure(target, result))}</div>`;
}

function aborted({ aborted: abort, leftovers }: ResultDocument): Markup {
  const left = leftovers ?? [];
  return html`${abort === null ? null : html`<p class="alarm"><b>The run was aborted</b> (${abort.code}): ${abort.message}</p>`}
  ${left.length === 0 ? null : html`<p class="alarm"><b>Left behind:</b> ${left.join(', ')}</p>`}`;
}

function figure(target: ResultTarget, result: ResultDocument): Markup {
  const { title, what } = FIGURE[target.name];
  const value = target.name === 'lost-writes' ? target.text.replace(/ writes?$/, '') : target.text;
  const outcome = target.outcome;
  return html`<section class="figure ${outcome}">
    <h2>${title}</h2>
    <p class="value">${value}</p>
    <p class="asked">${mark(outcome)} ${target.asked === null ? 'no objective' : html`objective ${askedText(target)}`}</p>
    ${target.name === 'recovery-time' ? gauge(target) : null}
    <p class="what">${target.name === 'recovery-time' ? `${what}${worst(result)}` : what}</p>
  </section>`;
}

/** The measured interval on a track as long as the objective. */
function gauge({ asked, measured }: ResultTarget): Markup | null {
  if (asked === null || asked <= 0 || measured === null || typeof measured === 'number') return null;
  const full = Math.max(asked, measured.upperMs);
  const share = (ms: number): number => Math.round((ms / full) * 1000) / 10;
  return html`<div class="gauge" aria-hidden="true">
    <i class="done" style="width:${share(measured.lowerMs)}%"></i
    ><i class="open" style="left:${share(measured.lowerMs)}%;width:${Math.max(1, share(measured.upperMs - measured.lowerMs))}%"></i>
    <i class="limit" style="left:${share(asked)}%"></i>
  </div>`;
}

function worst({ recovery, faults }: ResultDocument): string {
  if (recovery.state === 'recovered') return `; worst vantage ${recovery.vantage}`;
  if (recovery.state === 'censored') return `; ${recovery.vantage} was not served again while it was watched`;
  if (recovery.state === 'not-measured') return `; ${recovery.reason}`;
  return faults.length === 0 ? '; no fault was injected' : '; clients never noticed';
}

export function targetsTable(result: ResultDocument): Markup {
  const rows = result.targets.map(
    (target) =>
      html`<tr>
        <td>${FIGURE[target.name].title}</td>
        <td class="n">${askedText(target)}</td>
        <td class="n">${target.text}</td>
        <td>${mark(target.outcome)} ${target.outcome}</td>
      </tr>`,
  );
  const verified = result.verifiedRecovery;
  return table(
    [words('objective'), figures('asked'), figures('measured'), words('verdict')],
    [
      rows,
      verified === null
        ? null
        : html`<tr>
            <td>Verified recovery <small>all data read back and compared</small></td>
            <td class="n">not asked</td>
            <td class="n">
              ${recoveryText({ ...verified, state: 'recovered', vantage: '', fault: '', line: 0, dnsShareMs: null, servedFrom: { lowerMs: 0, upperMs: 0 }, firstOperationMs: 0, clientAwayMs: 0 })}
            </td>
            <td></td>
          </tr>`,
      result.writePause === null || result.targets.some(({ name }) => name === 'write-pause')
        ? null
        : html`<tr>
            <td>Longest pause of writes <small>${result.writePause.vantage}</small></td>
            <td class="n">not asked</td>
            <td class="n">${duration(result.writePause.pauseMs)}</td>
            <td></td>
          </tr>`,
    ],
  );
}
