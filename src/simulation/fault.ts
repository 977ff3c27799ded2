import { STEPS, type Step } from '../arbiter/arbiter.ts';
import type { Program } from './simulated-process.ts';

/** A region by name, or by what it is when the fault begins: the holder of the lease, the first (second) of the others, where the leader is, whom a run promotes. */
export type Where = string;
export const PRIMARY = '@primary';
export const LEADER = '@leader';
export const PROMOTED = '@promoted';
export const STANDBYS = ['@standby-1', '@standby-2'] as const;

/** The steps of a run under way, in their order: PREPARE, which only a planned one has, comes first. */
export const STEPS_UNDER_WAY: readonly Step[] = STEPS.slice(0, STEPS.indexOf('DONE'));

/** One thing that goes wrong (or that somebody asks for) at a moment of virtual time, and how long it lasts. */
export type Fault = {
  readonly atMs: number;
  readonly forMs: number;
  /** Begins so, `afterStepMs` after a run reaches this step for the first time after `atMs`; never, where none does. */
  readonly onStep?: Step;
  readonly afterStepMs?: number;
} & (
  | { readonly kind: 'crash'; readonly region: Where; readonly program: Program }
  /** A controller gets SIGTERM, and SIGKILL where it has not ended by then. */
  | { readonly kind: 'terminate'; readonly region: Where }
  | { readonly kind: 'stop'; readonly region: Where; readonly program: Program }
  | { readonly kind: 'region-down'; readonly region: Where }
  | { readonly kind: 'isolate'; readonly region: Where; readonly direction: 'both' | 'in' | 'out' }
  /** `probes`: only what controllers ask of databases. */
  | {
      readonly kind: 'cut';
      readonly from: Where;
      readonly to: Where;
      readonly direction: 'both' | 'one-way';
      readonly only: Program | 'probes' | null;
    }
  /** No controller reaches the region's database, not even the one beside it; everybody else does. */
  | { readonly kind: 'unseen'; readonly region: Where; readonly direction: 'both' | 'in' | 'out' }
  /** A program cannot reach any member of the arbiter, or does not hear its answers. */
  | { readonly kind: 'no-arbiter'; readonly region: Where; readonly program: Program; readonly direction: 'both' | 'in' | 'out' }
  | {
      readonly kind: 'slow-link';
      readonly from: Where | null;
      readonly to: Where;
      readonly delayMs: number;
      readonly lossProbability: number;
      readonly duplicateProbability: number;
    }
  | { readonly kind: 'arbiter-members-down'; readonly regions: readonly Where[] }
  | { readonly kind: 'arbiter-answers-lost'; readonly probability: number }
  | { readonly kind: 'disk-slow'; readonly region: Where; readonly byMs: number }
  | { readonly kind: 'disk-broken'; readonly region: Where }
  /** The database is killed, and comes back with an empty disk: nothing of what it has promised, sealed and stored is there. */
  | { readonly kind: 'disk-emptied'; readonly region: Where }
  | { readonly kind: 'clock-rate'; readonly region: Where; readonly program: Program; readonly rate: number }
  | { readonly kind: 'clock-jump'; readonly region: Where; readonly program: Program; readonly byMs: number }
  /** The region does not reach the name's server. */
  | { readonly kind: 'no-name'; readonly region: Where }
  | { readonly kind: 'dns'; readonly how: 'down' | 'errs' }
  | { readonly kind: 'requests'; readonly region: Where; readonly path: string; readonly how: 'fails' | 'hangs' | 'errs' }
  | {
      readonly kind: 'order';
      readonly order: 'switchover' | 'failback' | 'failover' | 'forced';
      readonly target: Where;
      /** What is typed to a forced one; any loss, where nothing is. */
      readonly acceptSeconds?: number;
    }
  | { readonly kind: 'pause' }
);

/** The fault with its regions by name. */
export function resolve(fault: Fault, nameOf: (where: Where) => string): Fault {
  const entries = Object.entries(fault).map(([name, value]) => {
    if (Array.isArray(value)) return [name, value.map((one) => nameOf(one as Where))];
    return [name, ['region', 'from', 'to', 'target'].includes(name) && typeof value === 'string' ? nameOf(value) : value];
  });
  return Object.fromEntries(entries) as Fault;
}

/** One line for people. */
export function describeFault(fault: Fault): string {
  const { kind, atMs, forMs, onStep, afterStepMs = 0, ...details } = fault;
  const when = `${String(Math.round(atMs)).padStart(6)} ms${onStep === undefined ? '' : `, ${Math.round(afterStepMs)} ms into ${onStep}`}`;
  const told = Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join('+') : String(value)}`);
  return `${when}  ${kind} ${told.join(' ')} for ${Math.round(forMs)} ms`;
}
