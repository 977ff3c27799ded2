import type { Windows } from './with-windows.ts';

/** Which scenario shows which known-bad engine, and by which check: the table behind known-bad.system.test.ts and the calibration gate. */
export interface KnownBad {
  /** `dist/harness/testing/engines/<engine>.js`. */
  readonly engine: string;
  /** The sentence of the contract that it breaks; it keeps all others. */
  readonly breaks: string;
  /** From the package's root. */
  readonly scenario: string;
  /** The check that is there for this: it must say `fail`. Others may fail too. */
  readonly caughtBy: string;
  /** Checks that ask the same in another way, and must say `fail` too. */
  readonly alsoBy?: readonly string[];
  /** The tests' windows, where it never does what the scenario waits for: that shows sooner. The control is played with the scenario's own. */
  readonly windows?: Windows;
  /** It is our own engine with one program spoilt, for what the small ones cannot do: the control of its scenario is the engine itself. */
  readonly ours?: true;
}

export const KNOWN_BAD: readonly KnownBad[] = [
  {
    engine: 'acks-before-durable',
    breaks: 'A write is acknowledged when it is durable under the replication mode.',
    scenario: 'scenarios/database-kill.yaml',
    caughtBy: 'lost-writes',
  },
  {
    engine: 'accepts-when-fenced',
    breaks: 'A holder whose lease is over acknowledges nothing.',
    scenario: 'scenarios/region-isolation.yaml',
    caughtBy: 'single-primary',
  },
  {
    engine: 'loses-one-write',
    breaks: 'What has been acknowledged stays until it is overwritten or deleted.',
    scenario: 'scenarios/null.yaml',
    caughtBy: 'no-holes',
  },
  {
    engine: 'forgets-dns',
    breaks: 'The service name follows the primary.',
    scenario: 'scenarios/region-isolation.yaml',
    caughtBy: 'recovery-time',
    windows: { awaitRecovery: '8s', targets: { recoveryTime: '6s' } },
  },
  {
    engine: 'stale-reads',
    breaks: 'A read gives the newest acknowledged value.',
    scenario: 'scenarios/null.yaml',
    caughtBy: 'fresh-reads',
    alsoBy: ['linearizable'],
  },
  {
    engine: 'stops-backing-up',
    breaks: 'A backup is made whenever one is due.',
    scenario: 'scenarios/all-regions-lost.yaml',
    caughtBy: 'backup-age',
    alsoBy: ['recovery-point'],
    // Its last backups may come after those that are awaited: what is observed must outlast them and the age.
    windows: { observe: '10s', targets: { backupAge: '3s' } },
    ours: true,
  },
];

/** The same program with nothing broken: it must pass every scenario in which a known-bad one is caught. */
export const CONTROL = 'correct';

/** Path of the built engine from the package's root: what `gameday run --engine` takes. */
export function engineProgram(engine: string): string {
  return `dist/harness/testing/engines/${engine}.js`;
}
