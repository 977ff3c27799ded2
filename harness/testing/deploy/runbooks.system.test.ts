import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { startTestLab, type TestLab } from './lab-for-tests.ts';
import { commandsOf } from './shell-blocks.ts';

const RUNBOOKS = path.resolve(import.meta.dirname, '../../../../docs/runbooks');
/** Said of input that is no command, or of a file that is not there: the page is wrong. */
const NOT_A_COMMAND = /unknown (command|option)|missing required|too many arguments|No such file|command not found/i;
const LIMIT_SECONDS = 20;
const { signal } = new AbortController();

/**
 * Every command of the runbooks, typed in a running lab in the order in which the pages have them. 0 and 1 are answers (`nothing to acknowledge` is 1);
 * 2 is what the engine says of input that it does not understand, 3 that nobody answered.
 */
describe('runbooks: every command exists and is answered', () => {
  let system: TestLab;
  before(async () => {
    requireSandbox();
    system = await startTestLab(signal);
  });
  after(() => system?.close());

  for (const file of readdirSync(RUNBOOKS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))) {
    const commands = commandsOf(readFileSync(path.join(RUNBOOKS, file), 'utf8'));
    if (commands.length === 0) continue;
    it(`${file}: ${commands.length}`, async () => {
      for (const command of commands) {
        const { code, output } = await system.shell(command.replace(/^watch -n1 /, ''), LIMIT_SECONDS);
        expect(output, command).not.to.match(NOT_A_COMMAND);
        expect(code, `${command}\n${output}`).to.be.oneOf([0, 1]);
      }
    });
  }
});
