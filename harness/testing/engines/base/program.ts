import { parseArgs } from 'node:util';
import { runApi } from './api-program.ts';
import { BadConfig, loadConfig } from './config.ts';
import { runController } from './controller-program.ts';
import { runDatabase } from './database-program.ts';
import { Client } from './https.ts';
import { openLog } from './log.ts';
import type { Sentences } from './sentences.ts';

const PROGRAMS = ['database', 'api', 'controller'] as const;

/** Runs an engine program as `database|api|controller --config FILE` until SIGTERM: the exit code of the contract. */
export async function runProgram(argv: readonly string[], sentences: Sentences): Promise<number> {
  try {
    return await run(argv, sentences);
  } catch (error) {
    process.stderr.write(`${error instanceof BadConfig ? error.message : (error as Error).stack}\n`);
    return error instanceof BadConfig ? 2 : 1;
  }
}

async function run(argv: readonly string[], sentences: Sentences): Promise<number> {
  const { program, file } = command(argv);
  const config = loadConfig(file, process.env);
  const say = openLog(program, config.region);
  const end = new AbortController();
  let code = 0;
  process.on('SIGTERM', () => end.abort());
  process.on('SIGINT', () => {
    code = 130;
    end.abort();
  });
  const client = new Client(config);
  if (program === 'database') await runDatabase(config, client, say, sentences, end.signal);
  else if (program === 'api') await runApi(config, client, say, end.signal);
  else await runController(config, client, say, sentences, end.signal);
  client.close();
  say('stopped');
  return code;
}

function command(argv: readonly string[]): { readonly program: (typeof PROGRAMS)[number]; readonly file: string } {
  const usage = `usage: ${PROGRAMS.join('|')} --config FILE`;
  let parsed: { readonly positionals: readonly string[]; readonly values: { readonly config?: string } };
  try {
    parsed = parseArgs({ args: [...argv], options: { config: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    throw new BadConfig(`${(error as Error).message}\n${usage}`);
  }
  const program = PROGRAMS.find((p) => p === parsed.positionals[0]);
  const file = parsed.values.config;
  if (program === undefined || file === undefined || parsed.positionals.length !== 1) throw new BadConfig(usage);
  return { program, file };
}
