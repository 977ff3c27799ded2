import { html, type Markup } from './markup.ts';

/** A horizontal time axis: instants of the run clock to per cent of the plot's width. */
export interface TimeAxis {
  readonly fromMs: number;
  readonly toMs: number;
  /** What is called zero: the effect of the first fault, else the start of the run. */
  readonly zeroMs: number;
}

export function position(axis: TimeAxis, atMs: number): number {
  const share = (atMs - axis.fromMs) / Math.max(1, axis.toMs - axis.fromMs);
  return round(Math.min(1, Math.max(0, share)) * 100);
}

export const round = (value: number): number => Math.round(value * 100) / 100;

const STEPS_MS = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
];

interface Tick {
  readonly atMs: number;
  /** Every second one, never zero: left out where there is little room. */
  readonly minor: boolean;
}

/** Round instants, zero among them, at most `most` of them. */
export function ticks(axis: TimeAxis, most: number): readonly Tick[] {
  const width = axis.toMs - axis.fromMs;
  const step = STEPS_MS.find((one) => width / one <= most) ?? width;
  const first = Math.ceil((axis.fromMs - axis.zeroMs) / step);
  const last = Math.floor((axis.toMs - axis.zeroMs) / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => ({
    atMs: axis.zeroMs + (first + index) * step,
    minor: (first + index) % 2 !== 0,
  }));
}

export function tickLabels(axis: TimeAxis, most: number): Markup {
  const label = (atMs: number): string => {
    const ms = Math.round(atMs - axis.zeroMs);
    const sign = ms < 0 ? '−' : ms > 0 ? '+' : '';
    if (Math.abs(ms) >= 120_000 && ms % 60_000 === 0) return `${sign}${Math.abs(ms) / 60_000} min`;
    return `${sign}${Math.abs(ms) / 1000} s`;
  };
  return html`<div class="ticks" aria-hidden="true">
    ${ticks(axis, most).map(({ atMs, minor }) => html`<span class="${minor ? 'minor' : 'major'}" style="left:${position(axis, atMs)}%">${label(atMs)}</span>`)}
  </div>`;
}

/** Vertical lines at the ticks, for a plot whose viewBox is 0 0 100 100. */
export function gridLines(axis: TimeAxis, most: number): Markup {
  return html`${ticks(axis, most).map(({ atMs }) => {
    const x = position(axis, atMs);
    return html`<line class="grid" x1="${x}" x2="${x}" y1="0" y2="100" />`;
  })}`;
}
