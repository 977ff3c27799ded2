import type { OperationCompleted, RunEvent } from '../../history/event.ts';
import { duration } from '../figures.ts';

/** What a spectator of a running game day sees. Made from events only; judges nothing. */
export interface LiveState {
  readonly scenario: string;
  readonly question: string;
  readonly regionOfAddress: Readonly<Record<string, string>>;
  readonly goodWithinMs: number;
  readonly phase: string;
  readonly fault: LiveFault | null;
  /** Region whose answer was the last good one, and the epoch it claimed. */
  readonly serving: { readonly region: string; readonly epoch: number | null } | null;
  readonly vantages: readonly LiveVantage[];
  /** Newest last; few. */
  readonly story: readonly Line[];
}

export interface LiveFault {
  readonly name: string;
  readonly action: string;
  readonly sinceMs: number | null;
  readonly effect: 'planned' | 'asked' | 'confirmed' | 'not confirmed' | 'unseen' | 'healed';
}

export interface LiveVantage {
  readonly name: string;
  /** Oldest first; each covers BUCKET_MS. */
  readonly buckets: readonly Bucket[];
  /** Begin of the present stretch of bad operations; null while served. */
  readonly outSinceMs: number | null;
  /** When the last good one was over: what is answered late is asked before that, and begins no outage that this has ended. */
  readonly lastGoodMs: number;
  readonly longestOutMs: number;
}

export interface Bucket {
  readonly startMs: number;
  readonly good: number;
  readonly bad: number;
  readonly unknown: number;
}

export interface Line {
  readonly atMs: number;
  readonly text: string;
}

export const BUCKET_MS = 250;
const MOST_BUCKETS = 160;
const MOST_LINES = 8;
/** Bad operations in a row shorter than this are a hiccup, not told as an outage. */
const OUTAGE_MS = 500;

export const NOTHING_YET: LiveState = {
  scenario: '',
  question: '',
  regionOfAddress: {},
  goodWithinMs: 250,
  phase: 'setup',
  fault: null,
  serving: null,
  vantages: [],
  story: [],
};

/** The state after one more event. */
export function advance(state: LiveState, event: RunEvent): LiveState {
  const told = tell(state, event);
  const next = told === null ? state : { ...state, story: [...state.story, { atMs: event.atMs, text: told }].slice(-MOST_LINES) };
  if (event.kind === 'run-started') return { ...next, ...scenarioPart(event.scenario), regionOfAddress: event.regionOfAddress };
  if (event.kind === 'phase') return { ...next, phase: event.phase };
  if (event.kind === 'op') return operation(next, event);
  return { ...next, fault: faultAfter(next, event) };
}

function faultAfter(state: LiveState, event: RunEvent): LiveFault | null {
  if (event.kind === 'fault-planned')
    return { name: event.fault, action: `${event.manifestKind} ${event.action}`, sinceMs: null, effect: 'planned' };
  if (event.kind === 'fault-injected') return faultNow(state, event.fault, 'asked', event.requestedMs);
  if (event.kind === 'fault-effect' && event.moment === 'during')
    return faultNow(state, event.fault, event.confirmed ? 'confirmed' : event.evidence.kind === 'none' ? 'unseen' : 'not confirmed');
  if (event.kind === 'fault-healed') return faultNow(state, event.fault, 'healed', event.requestedMs);
  return state.fault;
}

function scenarioPart(scenario: unknown): Pick<LiveState, 'scenario' | 'question' | 'goodWithinMs'> {
  const of = (typeof scenario === 'object' && scenario !== null ? scenario : {}) as Record<string, unknown>;
  const workload = (typeof of['workload'] === 'object' && of['workload'] !== null ? of['workload'] : {}) as Record<string, unknown>;
  return {
    scenario: typeof of['name'] === 'string' ? of['name'] : '',
    question: typeof of['question'] === 'string' ? of['question'] : '',
    goodWithinMs: typeof workload['goodWithinMs'] === 'number' ? workload['goodWithinMs'] : NOTHING_YET.goodWithinMs,
  };
}

function faultNow(state: LiveState, name: string, effect: LiveFault['effect'], sinceMs?: number): LiveFault {
  const before = state.fault?.name === name ? state.fault : { name, action: '', sinceMs: null };
  return { ...before, effect, sinceMs: sinceMs ?? before.sinceMs };
}

function operation(state: LiveState, op: OperationCompleted): LiveState {
  const good = op.outcome === 'ok' && op.completedMs - op.intendedMs <= state.goodWithinMs;
  const known = state.vantages.find((one) => one.name === op.vantage);
  const vantage = withOperation(known ?? { name: op.vantage, buckets: [], outSinceMs: null, lastGoodMs: 0, longestOutMs: 0 }, op, good);
  const vantages = known === undefined ? [...state.vantages, vantage] : state.vantages.map((one) => (one === known ? vantage : one));
  const region = op.address === undefined ? undefined : state.regionOfAddress[op.address];
  const serving = good && region !== undefined ? { region, epoch: op.claimedEpoch ?? null } : state.serving;
  return { ...state, vantages, serving };
}

function withOperation(vantage: LiveVantage, op: OperationCompleted, good: boolean): LiveVantage {
  const startMs = Math.floor(op.completedMs / BUCKET_MS) * BUCKET_MS;
  const at = vantage.buckets.findLastIndex((one) => one.startMs === startMs);
  const before = vantage.buckets[at] ?? { startMs, good: 0, bad: 0, unknown: 0 };
  const kind = good ? 'good' : op.outcome === 'unknown' ? 'unknown' : 'bad';
  const bucket = { ...before, [kind]: before[kind] + 1 };
  const buckets = at >= 0 ? vantage.buckets.with(at, bucket) : [...vantage.buckets, bucket].slice(-MOST_BUCKETS);
  const outMs = vantage.outSinceMs === null ? 0 : op.completedMs - vantage.outSinceMs;
  return {
    ...vantage,
    buckets,
    outSinceMs: good ? null : (vantage.outSinceMs ?? Math.max(op.intendedMs, vantage.lastGoodMs)),
    lastGoodMs: good ? op.completedMs : vantage.lastGoodMs,
    longestOutMs: Math.max(vantage.longestOutMs, outMs),
  };
}

/** The line that an event is worth, or null. */
function tell(state: LiveState, event: RunEvent): string | null {
  switch (event.kind) {
    case 'phase':
      return `phase ${event.phase}`;
    case 'fault-planned':
      return `fault ${event.fault}: ${event.manifestKind} ${event.action} on ${event.sources.length + event.targets.length} pods`;
    case 'fault-injected':
      return `fault ${event.fault} injected in ${duration(event.acknowledgedMs - event.requestedMs)}`;
    case 'fault-effect':
      return `${event.moment}: ${event.measured} (${event.confirmed ? 'as asked' : `asked: ${event.asked}`})`;
    case 'fault-healed':
      return `fault ${event.fault} healed`;
    case 'engine-log':
      return `${event.pod}: ${event.action}`;
    case 'pod':
      // At the end everything is ended; that is no news.
      return state.phase !== 'teardown' && ['killed', 'held', 'released', 'frozen', 'thawed', 'exited'].includes(event.change)
        ? `${event.pod} ${event.change}`
        : null;
    case 'op':
      return tellOutage(state, event);
    case 'redundancy-restored':
      return 'every region is caught up';
    case 'run-aborted':
      return `aborted: ${event.message}`;
    case 'order':
      return `coditect-dr ${event.args.join(' ')} ended with ${event.exitCode ?? 'nothing, and was killed'}`;
    case 'backup-order':
      return `coditect-dr backup ${event.args.join(' ')} ended with ${event.exitCode ?? 'nothing, and was killed'}`;
    case 'copy':
      return event.ok ? `the restored copy ${event.name} was read` : `the restored copy ${event.name} could not be read`;
    case 'damage':
      return `${event.how}: ${event.object ?? event.done.map(({ what }) => what).join(', ')}`;
    case 'deletion':
      return 'the clients deleted what they had written';
    case 'mark':
      return `mark ${event.name}`;
    case 'bulk':
      return `bulk load ${event.name} ended`;
    case 'note':
      return event.message;
    case 'run-started':
    case 'reachability':
    case 'engine-status':
    case 'dns':
    case 'client-finished':
    case 'machine':
    case 'store':
    case 'readback':
    case 'divergent-tail':
    case 'run-ended':
      return null;
  }
}

function tellOutage(state: LiveState, op: OperationCompleted): string | null {
  const since = state.vantages.find((one) => one.name === op.vantage)?.outSinceMs ?? null;
  const good = op.outcome === 'ok' && op.completedMs - op.intendedMs <= state.goodWithinMs;
  if (since === null || !good || op.completedMs - since < OUTAGE_MS) return null;
  return `${op.vantage} is served again after ${duration(op.completedMs - since)}`;
}
