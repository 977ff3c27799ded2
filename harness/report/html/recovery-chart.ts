import { duration } from '../figures.ts';
import type { ResultFault, TimelinePoint } from '../result-shape.ts';
import { html, type Markup } from './markup.ts';
import { gridLines, position, round, tickLabels, type TimeAxis } from './time-axis.ts';

interface Stage {
  readonly name: string;
  readonly by: 'measured' | 'engine';
  readonly from: TimelinePoint;
  readonly to: TimelinePoint;
}

/** Neighbouring stages of a recovery; one that was not seen is left out and the next one starts where the last one ended. */
const STAGES: readonly Stage[] = [
  { name: 'fault takes effect', by: 'measured', from: 't0InjectCalled', to: 't1Effect' },
  { name: 'detect', by: 'engine', from: 't1Effect', to: 't3Detected' },
  { name: 'decide', by: 'engine', from: 't3Detected', to: 't4Decided' },
  { name: 'fence, seal, promote', by: 'engine', from: 't4Decided', to: 't5Writable' },
  { name: 'clients find it (DNS) and succeed', by: 'measured', from: 't5Writable', to: 't6FirstGood' },
  { name: 'until service is sustained', by: 'measured', from: 't6FirstGood', to: 't7Sustained' },
];

const POINTS: Readonly<Record<TimelinePoint, string>> = {
  t0InjectCalled: 't0 injection called',
  t1Effect: 't1 fault in effect',
  t2FirstBad: 't2 first bad operation',
  t3Detected: 't3 detected',
  t4Decided: 't4 decided',
  t5Writable: 't5 new primary writable',
  t6FirstGood: 't6 first good operation',
  t7Sustained: 't7 sustained service begins',
  t8Verified: 't8 data verified',
  t9Healed: 't9 fault healed',
  t10Redundancy: 't10 redundancy restored',
};
const CLAIMED: readonly TimelinePoint[] = ['t3Detected', 't4Decided', 't5Writable'];
const TICKS = 6;

const NOT_NEEDED = 'No recovery was needed: there is nothing to break down.';
const NOT_SEEN = 'Nobody saw when it took effect, so that no recovery from it could be measured.';

/** Where the recovery time of a fault went, and the table of all its points. */
export function recoveryChart(fault: ResultFault, dnsShareMs: number | null): Markup {
  const bars = stageBars(fault);
  const chart =
    bars.length > 0 ? waterfall(fault, bars) : html`<p class="quiet">${fault.points.t1Effect === null ? NOT_SEEN : NOT_NEEDED}</p>`;
  const dns =
    dnsShareMs === null
      ? null
      : html`<p class="quiet after">
          Of this, clients waited <b>${duration(dnsShareMs)}</b> for the new address (DNS) at the worst vantage.
        </p>`;
  return html`${chart}${dns}${pointTable(fault)}`;
}

interface StageBar {
  readonly name: string;
  readonly by: Stage['by'];
  readonly fromMs: number;
  readonly toMs: number;
}

function stageBars({ points }: ResultFault): readonly StageBar[] {
  if ((points.t7Sustained ?? points.t6FirstGood ?? null) === null) return [];
  const bars: StageBar[] = [];
  for (const { name, by, from, to } of STAGES) {
    const toMs = points[to] ?? null;
    const fromMs = bars.at(-1)?.toMs ?? points[from] ?? null;
    // A stage that took no time, or was seen out of order, is told in the table below.
    if (toMs !== null && fromMs !== null && toMs - fromMs >= 0.5) bars.push({ name, by, fromMs, toMs });
  }
  return bars;
}

function waterfall(fault: ResultFault, bars: readonly StageBar[]): Markup {
  const fromMs = bars[0]?.fromMs ?? 0;
  const lastMs = bars.at(-1)?.toMs ?? fromMs + 1;
  const zeroMs = fault.points.t1Effect ?? fromMs;
  const axis: TimeAxis = { fromMs: fromMs - (lastMs - fromMs) * 0.02, toMs: lastMs + (lastMs - fromMs) * 0.02, zeroMs };
  return html`<figure class="chart waterfall">
    <div class="legend">
      <span><i class="measured"></i>measured from outside</span><span><i class="engine"></i>as the engine's log says</span>
    </div>
    ${bars.map((bar) => stageRow(bar, fault, axis))}
    <div class="row axis">
      <div class="label">since the fault took effect</div>
      <div class="plot-axis">${tickLabels(axis, TICKS)}</div>
    </div>
  </figure>`;
}

function stageRow(bar: StageBar, fault: ResultFault, axis: TimeAxis): Markup {
  const x = position(axis, bar.fromMs);
  const width = round(Math.max(0.3, position(axis, bar.toMs) - x));
  const unsure = fault.effectMs;
  return html`<div class="row stage">
    <div class="label"><span>${bar.name}</span> <b>${duration(bar.toMs - bar.fromMs)}</b></div>
    <div class="plot">
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        ${gridLines(axis, TICKS)}
        ${
          unsure === null
            ? null
            : html`<rect
                class="unsure"
                x="${position(axis, unsure.lowerMs)}"
                y="0"
                width="${round(Math.max(0.15, position(axis, unsure.upperMs) - position(axis, unsure.lowerMs)))}"
                height="100"
                ><title>the effect began somewhere in here</title></rect
              >`
        }
        <rect class="${bar.by}" x="${x}" y="22" width="${width}" height="56" />
      </svg>
    </div>
  </div>`;
}

function pointTable(fault: ResultFault): Markup {
  const zeroMs = fault.points.t1Effect ?? fault.points.t0InjectCalled ?? 0;
  const seen = (Object.keys(POINTS) as TimelinePoint[])
    .flatMap((point) => {
      const atMs = fault.points[point] ?? null;
      return atMs === null ? [] : [{ point, atMs }];
    })
    .sort((one, other) => one.atMs - other.atMs);
  const missing = (Object.keys(POINTS) as TimelinePoint[]).filter((point) => (fault.points[point] ?? null) === null);
  const rows = seen.map(({ point, atMs }, index) => {
    const before = seen[index - 1];
    const sign = atMs >= zeroMs ? '+' : '';
    return html`<tr>
      <td>${POINTS[point]}${CLAIMED.includes(point) ? html` <small>engine's log</small>` : null}</td>
      <td class="n">${sign}${duration(atMs - zeroMs)}</td>
      <td class="n">${before === undefined ? '' : duration(atMs - before.atMs)}</td>
    </tr>`;
  });
  return html`<details>
    <summary>All points of the timeline</summary>
    <table>
      <thead>
        <tr>
          <th>point</th>
          <th class="n">${fault.points.t1Effect === null ? 'since it was asked for' : 'since the effect'}</th>
          <th class="n">since the one before</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${missing.length > 0 ? html`<p class="quiet">Not seen: ${missing.map((point) => POINTS[point]).join(', ')}.</p>` : null}
  </details>`;
}
