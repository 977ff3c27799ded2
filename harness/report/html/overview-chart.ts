import { duration, plural } from '../figures.ts';
import type { ResultDocument, ResultFault } from '../result-shape.ts';
import { regionClass } from './regions.ts';
import { html, type Markup } from './markup.ts';
import { gridLines, position, round, tickLabels, type TimeAxis } from './time-axis.ts';

type Second = ResultDocument['availability'][number];
const KINDS = ['failed', 'unknown', 'slow', 'good'] as const;
const TICKS = 8;
/** The bars leave so much per cent free above and below, where the fault's shading shows. */
const INSET = 14;

/** The whole run on one axis: who served, what every vantage got in every second, the fault shaded. */
export function overviewChart(result: ResultDocument): Markup {
  const axis = overviewAxis(result);
  const rows = result.vantages.map((vantage) => vantageRow(result, vantage, axis));
  return html`<figure class="chart overview">
    <div class="legend">
      <span><i class="good"></i>good</span><span><i class="slow"></i>slow</span><span><i class="failed"></i>failed</span
      ><span><i class="unknown"></i>no answer</span
      ><span
        ><i class="fault"></i>${result.faults.some(({ points }) => points.t1Effect === null) ? 'fault asked for' : 'fault in effect'}</span
      >
    </div>
    ${servedRow(result, axis)} ${result.faults.map((fault) => faultRow(fault, axis))} ${rows}
    ${result.faults.map((fault) => pointsRow(fault, axis))}
    <div class="row axis">
      <div class="label">${sinceZero(result)}</div>
      <div class="plot-axis">${tickLabels(axis, TICKS)}</div>
    </div>
  </figure>`;
}

export function overviewAxis(result: ResultDocument): TimeAxis {
  const seconds = result.availability.map((one) => one.second);
  const fromMs =
    seconds.length > 0
      ? Math.min(
          ...seconds.slice(0, 1),
          seconds.reduce((a, b) => Math.min(a, b)),
        ) * 1000
      : 0;
  const toMs = seconds.length > 0 ? (seconds.reduce((a, b) => Math.max(a, b)) + 1) * 1000 : Math.max(1000, result.durationMs);
  return { fromMs, toMs, zeroMs: result.faults[0]?.points.t1Effect ?? fromMs };
}

/** What its instants are counted from. */
export const sinceZero = ({ faults }: Pick<ResultDocument, 'faults'>): string =>
  (faults[0]?.points.t1Effect ?? null) === null ? 'since the start' : 'since the fault took effect';

/** Shading of every fault, for a plot whose viewBox is 0 0 100 100. */
export function faultShade(result: ResultDocument, axis: TimeAxis): Markup {
  return html`${result.faults.map(({ fault, points }) => {
    const from = points.t1Effect ?? points.t0InjectCalled;
    if (from === null || from === undefined) return null;
    const x = position(axis, from);
    const width = round(position(axis, points.t9Healed ?? axis.toMs) - x);
    return html`<rect class="fault-shade" x="${x}" y="0" width="${width}" height="100"><title>${fault}</title></rect>`;
  })}`;
}

function servedRow(result: ResultDocument, axis: TimeAxis): Markup {
  const parts = result.reigns.map((reign) => {
    const what = `${reign.region}: ${plural(reign.acknowledgements, 'acknowledgement')} in ${duration(reign.lastAckMs - reign.firstAckMs)}`;
    return band(axis, [reign.firstAckMs, reign.lastAckMs], { kind: regionClass(result, reign.region), text: reign.region, title: what });
  });
  return bandRow('served by', parts);
}

function faultRow(fault: ResultFault, axis: TimeAxis): Markup {
  const from = fault.points.t1Effect ?? fault.points.t0InjectCalled ?? axis.fromMs;
  const until = fault.points.t9Healed ?? axis.toMs;
  const text = `${fault.kind} ${fault.action}`;
  return bandRow(fault.fault, [band(axis, [from, until], { kind: 'fault', text, title: `${text}: ${duration(until - from)}` })]);
}

interface Band {
  readonly kind: string;
  readonly text: string;
  readonly title: string;
}

function band(axis: TimeAxis, [fromMs, toMs]: readonly [number, number], { kind, text, title }: Band): Markup {
  const left = position(axis, fromMs);
  const width = round(Math.max(0.4, position(axis, toMs) - left));
  return html`<span class="band ${kind}" style="left:${left}%;width:${width}%" title="${title}">${text}</span>`;
}

function bandRow(label: string, bands: readonly Markup[]): Markup {
  return html`<div class="row bands">
    <div class="label">${label}</div>
    <div class="plot">${bands}</div>
  </div>`;
}

/** t0 … t10 under the chart; those too close to each other to be told apart share a label. */
function pointsRow(fault: ResultFault, axis: TimeAxis): Markup {
  const seen = Object.entries(fault.points)
    .flatMap(([point, atMs]) =>
      atMs === null || atMs === undefined ? [] : [{ name: /^t\d+/.exec(point)?.[0] ?? point, left: position(axis, atMs) }],
    )
    .sort((one, other) => one.left - other.left);
  const groups: { left: number; names: string[] }[] = [];
  for (const { name, left } of seen) {
    const last = groups.at(-1);
    if (last !== undefined && left - last.left < 9) last.names.push(name);
    else groups.push({ left, names: [name] });
  }
  const marks = groups.map(
    ({ left, names }) =>
      html`<span style="left:${Math.min(left, 98)}%"
        >${names.length > 2 ? `${names[0] ?? ''}–${names.at(-1) ?? ''}` : names.join(' ')}</span
      >`,
  );
  return html`<div class="row axis">
    <div class="label">points of the timeline</div>
    <div class="plot-axis"><div class="ticks points">${marks}</div></div>
  </div>`;
}

function vantageRow(result: ResultDocument, vantage: ResultDocument['vantages'][number], axis: TimeAxis): Markup {
  const seconds = result.availability.filter((one) => one.vantage === vantage.vantage);
  const total = vantage.good + vantage.slow + vantage.failed + vantage.unknown;
  const share = total === 0 ? '–' : `${((vantage.good / total) * 100).toFixed(1)} % good`;
  return html`<div class="row vantage">
    <div class="label">
      ${vantage.vantage.replace(/^client-/, '')}<small>${share}${vantage.mustRecover ? '' : ' · inside the fault, not judged'}</small>
    </div>
    <div class="plot">
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${describe(seconds)}">
        ${faultShade(result, axis)} ${gridLines(axis, TICKS)} ${merged(seconds).map((run) => bar(run, axis))}
      </svg>
    </div>
  </div>`;
}

interface Stretch {
  readonly first: Second;
  readonly untilSecond: number;
}

/** Neighbouring seconds with the same outcome for all become one bar: a run of an hour stays a small file. */
function merged(seconds: readonly Second[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const second of seconds) {
    const last = stretches.at(-1);
    const pure = KINDS.find((kind) => second[kind] === sum(second));
    if (last !== undefined && pure !== undefined && last.untilSecond === second.second && last.first[pure] === sum(last.first)) {
      stretches[stretches.length - 1] = { first: last.first, untilSecond: second.second + 1 };
    } else {
      stretches.push({ first: second, untilSecond: second.second + 1 });
    }
  }
  return stretches;
}

const sum = (second: Second): number => second.good + second.slow + second.failed + second.unknown;

function bar({ first, untilSecond }: Stretch, axis: TimeAxis): Markup | null {
  const total = sum(first);
  if (total === 0) return null;
  const x = position(axis, first.second * 1000);
  const width = round(position(axis, untilSecond * 1000) - x);
  let y = INSET;
  const parts = KINDS.filter((kind) => first[kind] > 0).map((kind) => {
    const height = (first[kind] / total) * (100 - 2 * INSET);
    y += height;
    return html`<rect class="${kind}" x="${x}" y="${round(y - height)}" width="${width}" height="${round(height)}" />`;
  });
  const title = `${duration(first.second * 1000 - axis.zeroMs)}: ${KINDS.map((kind) => `${first[kind]} ${kind}`).join(', ')}`;
  return html`<g><title>${title}</title>${parts}</g>`;
}

function describe(seconds: readonly Second[]): string {
  const bad = seconds.filter((one) => one.good + one.slow === 0 && sum(one) > 0).length;
  return bad === 0 ? 'Every second had good operations.' : `${plural(bad, 'second')} without a good operation.`;
}
