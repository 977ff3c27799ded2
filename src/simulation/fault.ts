import type { Program } from './simulated-process.ts';

/** One thing that goes wrong (or that somebody asks for) at a moment of virtual time, and how long it lasts. */
export type Fault = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'crash'; readonly region: string; readonly program: Program }
  | { readonly kind: 'stop'; readonly region: string; readonly program: Program }
  | { readonly kind: 'region-down'; readonly region: string }
  | { readonly kind: 'isolate'; readonly region: string; readonly direction: 'both' | 'in' | 'out' }
  | {
      readonly kind: 'cut';
      readonly from: string;
      readonly to: string;
      readonly direction: 'both' | 'one-way';
      readonly only: Program | null;
    }
  | {
      readonly kind: 'slow-link';
      readonly from: string | null;
      readonly to: string;
      readonly delayMs: number;
      readonly lossProbability: number;
      readonly duplicateProbability: number;
    }
  | { readonly kind: 'arbiter-members-down'; readonly regions: readonly string[] }
  | { readonly kind: 'arbiter-answers-lost'; readonly probability: number }
  | { readonly kind: 'disk-slow'; readonly region: string; readonly byMs: number }
  | { readonly kind: 'disk-broken'; readonly region: string }
  | { readonly kind: 'clock-rate'; readonly region: string; readonly program: Program; readonly rate: number }
  | { readonly kind: 'clock-jump'; readonly region: string; readonly program: Program; readonly byMs: number }
  | { readonly kind: 'dns'; readonly how: 'down' | 'errs' }
  | { readonly kind: 'requests'; readonly region: string; readonly path: string; readonly how: 'fails' | 'hangs' | 'errs' }
  | {
      readonly kind: 'order';
      readonly order: 'switchover' | 'failback' | 'failover' | 'forced';
      readonly target: string;
    }
  | { readonly kind: 'pause' }
);

/** One line for people. */
export function describeFault(fault: Fault): string {
  const { kind, atMs, forMs, ...details } = fault;
  const told = Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join('+') : String(value)}`);
  return `${String(Math.round(atMs)).padStart(6)} ms  ${kind} ${told.join(' ')} for ${Math.round(forMs)} ms`;
}
