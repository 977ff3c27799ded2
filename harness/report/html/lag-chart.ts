import { duration } from '../figures.ts';
import type { ResultDocument } from '../result-shape.ts';
import { html, type Markup } from './markup.ts';
import { faultShade, overviewAxis, sinceZero } from './overview-chart.ts';
import { regionClass } from './regions.ts';
import { gridLines, position, round, tickLabels, type TimeAxis } from './time-axis.ts';

const TICKS = 8;

/** Replication lag by region, as the engine reported it, on the time axis of the overview. */
export function lagChart(result: ResultDocument): Markup {
  if (result.lag.length === 0) return html`<p class="quiet">The engine reported no replication lag.</p>`;
  const axis = overviewAxis(result);
  const topMs = niceTop(result.lag.reduce((most, one) => Math.max(most, one.lagMs), 10));
  const regions = [...new Set(result.lag.map((one) => one.region))].sort();
  return html`<figure class="chart lag">
    <div class="legend">
      ${regions.map((region) => {
        const worst = result.lag.filter((one) => one.region === region).reduce((most, one) => Math.max(most, one.lagMs), 0);
        return html`<span><i class="${regionClass(result, region)}"></i>${region} (at most ${duration(worst)})</span>`;
      })}
    </div>
    <div class="row tall">
      <div class="label y"><span>${duration(topMs)}</span><span>${duration(topMs / 2)}</span><span>0</span></div>
      <div class="plot">
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="Replication lag by region over time">
          ${faultShade(result, axis)} ${gridLines(axis, TICKS)}
          <line class="grid" x1="0" x2="100" y1="50" y2="50" />
          ${regions.map((region) => line(result, region, { axis, topMs }))}
        </svg>
      </div>
    </div>
    <div class="row axis">
      <div class="label">${sinceZero(result)}</div>
      <div class="plot-axis">${tickLabels(axis, TICKS)}</div>
    </div>
  </figure>`;
}

interface Scale {
  readonly axis: TimeAxis;
  readonly topMs: number;
}

/** A second without a sample is a gap, not a straight line. */
function line(result: ResultDocument, region: string, { axis, topMs }: Scale): Markup {
  const samples = result.lag.filter((one) => one.region === region).sort((one, other) => one.second - other.second);
  const path = samples.map((sample, at) => {
    const begins = at === 0 || sample.second - (samples[at - 1]?.second ?? 0) > 2;
    const y = round(100 - (Math.min(sample.lagMs, topMs) / topMs) * 98 - 1);
    return `${begins ? 'M' : 'L'}${position(axis, sample.second * 1000 + 500)} ${y}`;
  });
  return html`<path class="line ${regionClass(result, region)}" d="${path.join(' ')}"><title>${region}</title></path>`;
}

function niceTop(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return ([1, 2, 5, 10].find((one) => one * power >= ms) ?? 10) * power;
}
