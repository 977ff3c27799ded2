import type { RunEvent } from '../../history/event.ts';
import { clean } from '../table.ts';
import { frame, type FrameSize } from './frame.ts';
import { advance, NOTHING_YET, type LiveState } from './live-state.ts';

/** Where a live view writes: process.stdout fits. */
export interface LiveOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
  /** [columns, rows]; asked before every redraw, so that no signal is needed to follow a resize. */
  getWindowSize?(): [number, number];
}

export interface LiveEnvironment {
  readonly NO_COLOR?: string | undefined;
  readonly CI?: string | undefined;
  readonly TERM?: string | undefined;
}

export interface LiveView {
  /** Give it every event of the run, in order. Never throws. */
  onEvent(event: RunEvent): void;
  /** Leaves the cursor below what it wrote; the terminal was never put into any other mode. Idempotent. */
  close(): void;
}

/** At most ten pictures a second. */
const REDRAW_MS = 100;

/** A redrawn picture on a terminal; plain lines where nobody watches or the terminal cannot move its cursor. */
export function liveView(output: LiveOutput, environment: LiveEnvironment, nowMs: () => number): LiveView {
  const plain = output.isTTY !== true || set(environment.CI) || environment.TERM === 'dumb';
  return plain ? plainView(output) : screenView(output, nowMs, !set(environment.NO_COLOR));
}

const set = (value: string | undefined): boolean => value !== undefined && value !== '';

function plainView(output: LiveOutput): LiveView {
  let state = NOTHING_YET;
  return {
    onEvent: (event) => {
      const before = state.story.at(-1);
      state = advance(state, event);
      const line = state.story.at(-1);
      if (event.kind === 'run-started') output.write(`${clean(state.scenario)}: ${clean(state.question)}\n`);
      if (line !== undefined && line !== before) output.write(`  ${(line.atMs / 1000).toFixed(2).padStart(7)} s  ${clean(line.text)}\n`);
    },
    close: () => undefined,
  };
}

function screenView(output: LiveOutput, nowMs: () => number, color: boolean): LiveView {
  let state: LiveState = NOTHING_YET;
  let drawn: readonly string[] = [];
  let closed = false;
  const draw = (): void => {
    const size = sizeOf(output, color);
    const lines = frame(state, nowMs(), size);
    output.write(redraw(drawn, lines, size.columns));
    drawn = lines;
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  return {
    onEvent: (event) => {
      state = advance(state, event);
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      draw();
      output.write('\n');
    },
  };
}

function sizeOf(output: LiveOutput, color: boolean): FrameSize {
  try {
    const [columns, rows] = output.getWindowSize?.() ?? [0, 0];
    return { columns, rows, color };
  } catch {
    return { columns: 0, rows: 0, color }; // the terminal has gone; writing to it will say so
  }
}

/** Back to the first line of the old picture, clear from there, write the new one: shown at once where the terminal can. */
export function redraw(old: readonly string[], lines: readonly string[], columns: number): string {
  const up = old.reduce((sum, line) => sum + physicalLines(line, columns), 0);
  const back = up > 0 ? `\u001b[${up}A` : '';
  return `\u001b[?2026h${back}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}\u001b[?2026l`;
}

/** How many lines an old one takes now: a terminal made narrower has wrapped it. */
function physicalLines(line: string, columns: number): number {
  // eslint-disable-next-line no-control-regex
  const width = line.replace(/\u001b\[[0-9;]*m/g, '').length;
  return columns > 0 ? Math.max(1, Math.ceil(width / columns)) : 1;
}
