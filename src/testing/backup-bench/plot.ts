import { OPERATIONS, type Operation } from './contenders.ts';
import { rates, type Per, type Run, type Spread } from './summary.ts';

const [BAR, GAP, LEFT, WIDTH, PANEL_GAP] = [14, 4, 120, 300, 150];
const TITLES: Readonly<Record<Per, string>> = { wallMs: 'MB/s', cpuMs: 'MB per CPU-second' };

interface Bar {
  readonly name: string;
  readonly value: Spread;
}

/** Bars of the medians with lines from the least to the most, one panel for each size, place and operation. Needs nothing beside itself. */
export function plotOf(runs: readonly Run[]): string {
  const parts: string[] = [];
  let top = 10;
  for (const [name, group] of Map.groupBy(runs, ({ gib, place }) => `${gib} GiB, stores on ${place}`)) {
    for (const operation of OPERATIONS) {
      const panels = (['wallMs', 'cpuMs'] as const).map((per) => ({ per, bars: barsOf(group, operation, per) }));
      const height = Math.max(...panels.map(({ bars }) => bars.length)) * (BAR + GAP);
      if (height === 0) continue;
      for (const [column, { per, bars }] of panels.entries())
        parts.push(panel(`${name}: ${operation}, ${TITLES[per]}`, bars, LEFT + column * (WIDTH + PANEL_GAP + LEFT), top));
      top += height + 40;
    }
  }
  const width = 2 * (LEFT + WIDTH) + PANEL_GAP + 100;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${top}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function barsOf(runs: readonly Run[], operation: Operation, per: Per): readonly Bar[] {
  const names = [...new Set(runs.flatMap(({ contenders }) => Object.keys(contenders)))];
  const bars = names.flatMap((name): Bar[] => {
    const value = rates(runs, name, operation, per);
    return value === null ? [] : [{ name, value }];
  });
  const limit = operation === 'backup' ? rates(runs, 'limit', 'limit', per) : null;
  return limit === null ? bars : [...bars, { name: 'limit', value: limit }];
}

function panel(title: string, bars: readonly Bar[], left: number, top: number): string {
  const scale = WIDTH / Math.max(...bars.map(({ value }) => value.max));
  const lines = bars.map(({ name, value }, n) => {
    const y = top + 20 + n * (BAR + GAP);
    const middle = y + BAR / 2;
    const colour = name === 'ours' ? '#1f6feb' : name === 'limit' ? '#999' : '#d0d7de';
    return [
      `<text x="${left - 6}" y="${middle + 4}" text-anchor="end">${name}</text>`,
      `<rect x="${left}" y="${y}" width="${(value.median * scale).toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<line x1="${(left + value.min * scale).toFixed(1)}" x2="${(left + value.max * scale).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#24292f"/>`,
      `<text x="${(left + value.max * scale + 6).toFixed(1)}" y="${middle + 4}">${value.median.toFixed(0)}</text>`,
    ].join('');
  });
  return [`<text x="${left}" y="${top + 10}" font-weight="bold">${title}</text>`, ...lines].join('\n');
}
