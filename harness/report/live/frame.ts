import pc from 'picocolors';
import { duration } from '../figures.ts';
import { clean } from '../table.ts';
import { BUCKET_MS, type Bucket, type LiveState, type LiveVantage } from './live-state.ts';

export interface FrameSize {
  /** 0: the terminal does not say; 80 is taken. */
  readonly columns: number;
  /** 0: the terminal does not say; as many lines as there are. */
  readonly rows: number;
  readonly color: boolean;
}

type Paint = ReturnType<typeof pc.createColors>;

/** One picture of a running game day: lines no longer than the terminal is wide (colours not counted). */
export function frame(state: LiveState, nowMs: number, size: FrameSize): readonly string[] {
  const columns = (size.columns > 0 ? size.columns : 80) - 1;
  const paint = pc.createColors(size.color);
  const lines = [
    [paint.bold(cut(`${clean(state.scenario)}  ${state.phase}  ${clock(nowMs)}`, columns))],
    [paint.dim(cut(clean(state.question), columns))],
    [cut(faultLine(state, nowMs), columns)],
    [cut(servingLine(state), columns)],
    [''],
    state.vantages.map((vantage) => vantageLine(vantage, nowMs, { columns, paint })),
    [''],
    state.story.map((line) => paint.dim(cut(`${clock(line.atMs)}  ${clean(line.text)}`, columns))),
  ].flat();
  return size.rows > 1 ? lines.slice(0, size.rows - 1) : lines;
}

/** 0:14.2 */
function clock(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
}

function faultLine({ fault }: LiveState, nowMs: number): string {
  if (fault === null) return 'no fault yet';
  const since = fault.sinceMs === null ? '' : `, ${duration(nowMs - fault.sinceMs)} ago`;
  const effect = {
    planned: 'planned',
    asked: 'injected',
    confirmed: 'in effect',
    'not confirmed': 'WITHOUT the effect asked for',
    unseen: 'injected, as the cluster says; nobody sees its effect',
    healed: 'healed',
  }[fault.effect];
  return `fault ${clean(fault.name)} (${clean(fault.action)}): ${effect}${since}`;
}

function servingLine({ serving, vantages }: LiveState): string {
  const out = vantages.filter((one) => one.outSinceMs !== null).length;
  const who =
    serving === null
      ? 'nobody has answered yet'
      : `served by ${clean(serving.region)}${serving.epoch === null ? '' : `, epoch ${serving.epoch}`}`;
  return vantages.length === 0 ? who : `${who}; ${vantages.length - out} of ${vantages.length} vantages are served`;
}

const NAME_WIDTH = 14;
const STATUS_WIDTH = 22;

function vantageLine(vantage: LiveVantage, nowMs: number, { columns, paint }: { readonly columns: number; readonly paint: Paint }): string {
  const name = cut(clean(vantage.name).replace(/^client-/, ''), NAME_WIDTH).padEnd(NAME_WIDTH);
  const room = Math.max(0, columns - NAME_WIDTH - STATUS_WIDTH - 4);
  const status = cut(statusOf(vantage, nowMs), STATUS_WIDTH);
  const text = `${name}  ${strip(vantage.buckets, nowMs, { room, paint })}  ${status}`;
  return room > 0 ? text : cut(`${name}  ${status}`, columns);
}

function statusOf({ outSinceMs, longestOutMs }: LiveVantage, nowMs: number): string {
  if (outSinceMs !== null) return `out for ${duration(nowMs - outSinceMs)}`;
  return longestOutMs < BUCKET_MS ? 'served' : `served, was out ${duration(longestOutMs)}`;
}

/** One sign per quarter of a second, the newest at the right: the worst that happened in it. */
function strip(buckets: readonly Bucket[], nowMs: number, { room, paint }: { readonly room: number; readonly paint: Paint }): string {
  const last = Math.floor(nowMs / BUCKET_MS) * BUCKET_MS;
  const byStart = new Map(buckets.map((bucket) => [bucket.startMs, bucket]));
  const signs = Array.from({ length: room }, (_, index) => sign(byStart.get(last - (room - 1 - index) * BUCKET_MS), paint));
  return signs.join('');
}

/** Different signs, so that it reads without colour. */
function sign(bucket: Bucket | undefined, paint: Paint): string {
  if (bucket === undefined) return ' ';
  if (bucket.bad > 0) return paint.red(bucket.good > 0 ? '▄' : '✕');
  if (bucket.unknown > 0) return paint.magenta('?');
  return paint.green('▇');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, Math.max(0, width));
}
