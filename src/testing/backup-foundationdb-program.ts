import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { duration } from '../backup/pipeline/progress.ts';
import { measureRounds, type Figure } from './backup-bench/foundationdb-rounds.ts';
import { spread } from './backup-bench/summary.ts';
import { benchOptions, numberWithin, wholeNumber } from './bench-options.ts';
import { publishBench } from './bench-report.ts';
import { findFoundationdb } from './foundationdb-cluster.ts';

/**
 * `./scripts/bench backup-foundationdb [--gib 1] [--rounds 2] [--minutes 60]`: one fdbserver, backed up and restored by this program and by FoundationDB's own, in turns. Result:
 * reports/benchmarks/backup-foundationdb.json and .md. Undecided (exit code 3) where FoundationDB is not there.
 */
interface Asked {
  readonly gib: number;
  readonly rounds: number;
  readonly minutes: number;
  readonly work: string;
}
const { gib, rounds, minutes, work } = benchOptions<Asked>('backup-foundationdb', (command) =>
  command
    .option('--gib <size>', 'of the data', numberWithin(0.01, 8), 1)
    .option('--rounds <count>', 'of each', wholeNumber(1), 2)
    .option('--minutes <count>', 'after which no further round begins', wholeNumber(1), 60)
    .option('--work <folder>', 'for data and stores', '/var/tmp/coditect-bench'),
);
const programs = findFoundationdb();
if (typeof programs === 'string') {
  process.stderr.write(
    `skipped: ${programs}: install the server and clients packages of FoundationDB 7.3, or name the folder of its programs with FDB_BIN and libfdb_c.so with FDB_LIB\n`,
  );
  process.exit(3);
}
mkdirSync(work, { recursive: true });
const folder = mkdtempSync(join(work, 'foundationdb-'));
process.env['TMPDIR'] = folder;
// The servers end with this program.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
try {
  const { bytes, records, figures, differs } = await measureRounds({
    programs,
    folder,
    wantedBytes: Math.round(gib * 2 ** 30),
    rounds,
    minutes,
    onLine: (line) => void process.stderr.write(`${line}\n`),
  });
  const megabytes = Math.round(bytes / 1e6);
  publishBench({
    name: 'backup-foundationdb',
    title: 'Backup and restore of FoundationDB, beside its own',
    problem: differs.length > 0 ? `what was restored differs: ${differs.join(', ')}` : null,
    data: { gib, rounds, bytes, records, figures },
    lines: [
      `${megabytes} MB of keys and values (${records} orders as JSON) in one fdbserver 7.3 (ssd-2, single), everything on this machine and its disk, in turns (${figures.filter(({ name, operation }) => name === 'fdbbackup' && operation === 'restore').length} to ${rounds} rounds). Each restore is into a cluster of its own, just made; all that it holds is read and compared with what was loaded: equal.`,
      '`coditect-dr`: `backup create` (copy-on-write, 2 threads, zstd 1, encrypted, signed), `backup restore` (written, read back, compared both ways). `fdbbackup`: `start -w`, one `backup_agent`, neither compressed nor encrypted; `fdbrestore start -w`, which compares nothing. Rates are of keys and values, from the start of the command to its end.',
      '',
      '| | MB/s median (least, most) | time | CPU of it | CPU of fdbserver | stored |',
      '|---|---|---|---|---|---|',
      ...(['backup', 'restore'] as const).flatMap((operation) =>
        (['coditect-dr', 'fdbbackup'] as const).map((name) =>
          row(
            figures.filter((f) => f.name === name && f.operation === operation),
            bytes,
          ),
        ),
      ),
    ],
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function row(figures: readonly Figure[], bytes: number): string {
  const rates = spread(figures.map(({ wallMs }) => bytes / 1000 / wallMs))!;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const of = (pick: (figure: Figure) => number): number => spread(figures.map(pick))!.median;
  const { name, operation } = figures[0]!;
  const cells = [
    `${operation}, ${name}`,
    `${rates.median.toFixed(1)} (${rates.min.toFixed(1)}, ${rates.max.toFixed(1)})`,
    duration(of(({ wallMs }) => wallMs)),
    seconds(of(({ cpuMs }) => cpuMs)),
    seconds(of(({ serverCpuMs }) => serverCpuMs)),
    operation === 'backup' ? `${Math.round(of(({ storedBytes }) => storedBytes) / 1e6)} MB` : '',
  ];
  return `| ${cells.join(' | ')} |`;
}
