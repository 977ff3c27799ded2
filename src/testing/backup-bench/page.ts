import { OPERATIONS } from './contenders.ts';
import type { Figure } from './rounds.ts';
import { againstPeers, claimsOf, ofLimit, rates, spread, type Claim, type Run, type Spread } from './summary.ts';

/** The whole of what was measured, as Markdown. `revision`: whose claims are told. */
export function pageOf(runs: readonly Run[], revision: string): string {
  const groups = [
    ...Map.groupBy(runs, ({ gib, place }) => `${gib} GiB, stores on ${place === 'disk' ? 'disk, with fsync' : 'tmpfs'}`),
  ].toSorted(([, [a]], [, [b]]) => a!.place.localeCompare(b!.place) * -10 + Math.sign(a!.gib - b!.gib));
  return [
    '# Backups: speed',
    '',
    'The same records, in the same rounds, in turning order: a database of this engine for ours, a folder of files of 16 MiB (or one stream of them) for restic and borg, a',
    'database of LMDB’s own tools for `mdb_dump`. MB are millions of bytes of keys and values. Every figure is of the whole program, from its start to its end, with all processes that it starts.',
    'Encryption is on everywhere. All sources are in the page cache. *changed* is the backup after 1 % of the records changed, in runs of neighbours; *verify* reads and checks all that is',
    'stored; *restore* of ours also compares both ways. `./scripts/bench backup` makes this page. Each cell: median (min to max).',
    '',
    '![MB/s and MB per CPU-second](backup.svg)',
    '',
    'What the time goes into, and why a target is missed: [backup-profile.md](backup-profile.md).',
    '',
    '## What was asked for',
    '',
    `By the rounds of ${revision}, ${runs.filter((run) => run.revision === revision).length} of ${runs.length} below.`,
    '',
    ...table(['', 'target', 'n', 'median (min to max)', ''], claimsOf(revision, runs).map(claimRow)),
    '',
    ...groups.flatMap(([name, group]) => section(name, group)),
    '## Machine and versions',
    '',
    ...runs.map(machineLine),
    '',
  ].join('\n');
}

function section(name: string, runs: readonly Run[]): readonly string[] {
  const contenders = new Map(runs.flatMap((run) => Object.entries(run.contenders)));
  const rows = [...contenders.keys()].flatMap((contender) =>
    OPERATIONS.flatMap((operation) => {
      const figures = runs.flatMap((run) =>
        run.figures.filter((figure) => figure.contender === contender && figure.operation === operation),
      );
      return figures.length === 0 ? [] : [row(runs, contender, operation, figures)];
    }),
  );
  const limits = (['wallMs', 'cpuMs'] as const).map((per) => cell(rates(runs, 'limit', 'limit', per)));
  const ratios = OPERATIONS.flatMap((operation) => {
    const [wall, cpu] = [againstPeers(runs, operation, 'wallMs'), againstPeers(runs, operation, 'cpuMs')];
    return wall === null ? [] : [[operation, String(wall.n), cell(wall, 2), cell(cpu, 2)]];
  });
  return [
    `## ${name}`,
    '',
    `${runs[0]!.records} records, ${(runs[0]!.bytes / 1e6).toFixed(0)} MB. ${[...contenders].map(([key, says]) => `**${key}**: ${says}`).join('; ')}.`,
    '',
    ...table(
      ['', '', 'n', 'MB/s', 'MB per CPU-second', 'peak memory MiB', 'of it own MiB', 'stored MB'],
      [...rows, ...(limits[0] === '–' ? [] : [['limit', 'zstd 1 + BLAKE3 + AES-GCM in memory', '', ...limits, '', '', '']])],
    ),
    '',
    ...(ratios.length === 0
      ? []
      : ['Ours / the fastest of restic and borg, in the same round:', '', ...table(['', 'n', 'MB/s', 'MB per CPU-second'], ratios), '']),
    ...(ofLimit(runs, 'wallMs') === null
      ? []
      : [
          `Backup / limit in the same round: ${cell(ofLimit(runs, 'wallMs'), 2)} of its MB/s, ${cell(ofLimit(runs, 'cpuMs'), 2)} of its MB per CPU-second.`,
          '',
        ]),
  ];
}

function row(runs: readonly Run[], contender: string, operation: Figure['operation'], figures: readonly Figure[]): readonly string[] {
  const mebibytes = (of: 'totalBytes' | 'anonymousBytes'): Spread | null =>
    spread(figures.flatMap(({ peak }) => (peak === null ? [] : [peak[of] / 2 ** 20])));
  return [
    contender,
    operation,
    String(figures.length),
    cell(rates(runs, contender, operation, 'wallMs')),
    cell(rates(runs, contender, operation, 'cpuMs')),
    cell(mebibytes('totalBytes')),
    cell(mebibytes('anonymousBytes')),
    cell(spread(figures.flatMap(({ storedBytes }) => (storedBytes === null ? [] : [storedBytes / 1e6])))),
  ];
}

function claimRow({ says, target, value, reached }: Claim): readonly string[] {
  const verdict = reached === null ? 'not measured' : reached ? 'reached' : '**not reached**';
  return [says, target, value === null ? '' : String(value.n), cell(value, 2), verdict];
}

function machineLine({ at, revision = 'nobody knows which program', gib, place, machine, load, versions, missing, figures }: Run): string {
  const rounds = new Set(figures.map(({ round }) => round)).size;
  const programs = Object.entries(versions).map(
    ([name, version]) =>
      `${name} ${version
        .replace(/^\w+ /, '')
        .split(/[\n:(]/)[0]!
        .trim()}`,
  );
  return `- ${at}: ${gib} GiB on ${place}, ${rounds} rounds of ${revision}; ${machine.cpus} × ${machine.cpu}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Linux ${machine.kernel}; load ${load.map((value) => value.toFixed(1)).join(' → ')}; ${programs.join(', ')}${missing.length === 0 ? '' : `. Not here: ${missing.join('; ')}`}`;
}

function cell(value: Spread | null, digits = 0): string {
  if (value === null) return '–';
  const text = (number: number): string => number.toFixed(digits);
  return value.n === 1 ? text(value.median) : `${text(value.median)} (${text(value.min)} to ${text(value.max)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
