import { InvalidArgumentError, type Command } from 'commander';
import { join } from 'node:path';
import { databaseOption, example, EXIT_CODES, MOST, wholeNumber } from './cli-options.ts';
import { digest } from './commands/digest.ts';
import { standardOutput } from './commands/output.ts';
import { packagedScenarios } from './commands/places.ts';
import { exitCode, judgeFolder, shortResult } from './commands/run.ts';
import { clientsThere } from './commands/system.ts';
import { EXIT, HarnessError } from './platform/errors.ts';
import { resultsTable } from './report/table.ts';
import type { AskedDatabase } from './scenario/scenario.ts';

/** Records that are there already: one again, or many as one. */
export function addJudging(program: Command, end: (code: number) => void): void {
  program
    .command('judge')
    .description('judge a recorded run again, from its events.ndjson alone, and write its reports anew')
    .argument('<dir>', 'folder of a run')
    .option('--json', 'the result as JSON on stdout', false)
    .addHelpText('after', example('gameday judge reports/20261122T120000000Z-region-isolation') + EXIT_CODES)
    .action(async (folder: string, { json }: { json: boolean }) => {
      const output = standardOutput(json);
      const result = await judgeFolder(folder);
      if (json) output.json(result);
      else output.text(`${resultsTable([result], { color: output.color, columns: output.columns })}\n${result.verdict.reason}\n`);
      end(exitCode([result.verdict.outcome]));
    });
  program
    .command('report')
    .description('write the reports of a recorded run anew (report.html, summary.md, junit.xml, result.json); says where they are')
    .argument('<dir>', 'folder of a run')
    .option('--json', 'as JSON on stdout', false)
    .addHelpText('after', example('gameday report reports/20261122T120000000Z-region-isolation'))
    .action(async (folder: string, { json }: { json: boolean }) => {
      const output = standardOutput(json);
      const result = await judgeFolder(folder);
      if (json) output.json(shortResult({ folder, result }));
      else output.text(`${join(folder, 'report.html')}\n${join(folder, 'summary.md')}\n`);
      end(EXIT.pass);
    });
  addDigest(program, end);
}

/** Records have 12 digits of it: with fewer none would be of it. */
function wholeCommit(text: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text))
    throw new InvalidArgumentError('must be all digits of a commit, as git rev-parse HEAD tells them.');
  return text;
}

interface DigestFlags {
  readonly reports: string;
  readonly times: number;
  readonly annotate: boolean;
  readonly tag?: string;
  readonly commit?: string;
  readonly database?: AskedDatabase;
  readonly system?: string;
}

function addDigest(program: Command, end: (code: number) => void): void {
  program
    .command('digest')
    .description('judge every run of a folder again, and write what they amount to together (digest.md)')
    .argument(
      '[scenario...]',
      'scenarios that had to be played, as they are now: one that is missing, was another when it was played, or was not played to its end, is no pass',
    )
    .requiredOption('--reports <dir>', 'the folder with the runs')
    .option('--times <n>', 'how often each had to be played', wholeNumber(1, MOST), 1)
    .addOption(databaseOption())
    .option('--system <file>', 'the system that was there already, as `gameday run` had it: the scenarios may name its clients')
    .option('--annotate', 'what did not pass as workflow commands of GitHub', false)
    .option(
      '--tag <name>',
      'of a release: writes its certificate (certificate.json, certificate.md); one of fewer scenarios than the package has is of a part, and says so',
    )
    .option('--commit <sha>', 'what the tag names, with all its digits (git rev-parse HEAD)', wholeCommit)
    .addHelpText('after', example('gameday digest --reports reports/nightly-lab scenarios/*.yaml') + EXIT_CODES)
    .action(async (scenarios: string[], { tag, commit, system, ...options }: DigestFlags) => {
      if ((tag === undefined) !== (commit === undefined)) throw new HarnessError('bad-input', '--tag and --commit go together');
      const subject = tag === undefined || commit === undefined ? undefined : { tag, commit };
      const clients = system === undefined ? undefined : clientsThere(system);
      end(await digest(scenarios, { ...options, subject, clients, all: packagedScenarios() }, standardOutput(false)));
    });
}
