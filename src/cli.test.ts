import { expect } from 'chai';
import { runCli } from './cli.ts';
import { EXIT } from './commands/world.ts';

/** Refused for what is typed, before any file is read: there is no configuration here. */
describe('a command line of coditect-dr that makes no sense', () => {
  async function run(words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const environment = { CODITECT_DR_CONFIG: '/nonexistent/config.yaml' };
    return { code: await runCli(words, { environment, signal: new AbortController().signal, out: tell, err: tell }), said };
  }

  for (const [what, words, message] of [
    ['two targets', ['failover', '--target=us-east1', '--target=europe-west1'], /option '--target <region>' is given twice/],
    ['two targets that are alike', ['switchover', '--target=us-east1', '--target=us-east1'], /'--target <region>' is given twice/],
    [
      'two losses',
      ['pair', 'abort', 'west', '--accept-data-loss=1', '--accept-data-loss=any'],
      /'--accept-data-loss <seconds>' is given twice/,
    ],
    ['two configurations', ['status', '--config', 'a.yaml', '--config', 'b.yaml'], /'--config <file>' is given twice/],
    ['a loss that is typed as nobody types one', ['approve', '--accept-data-loss=0x10'], /0x10 is no number of seconds/],
    ['a loss in powers of ten', ['approve', '--accept-data-loss=1e3'], /1e3 is no number of seconds/],
    ['positions that are none', ['simulate', '--keep', ','], /must be a list such as 0,2/],
    ['a time to live of nothing', ['policy', '--ttl', ' '], /must be a whole number of seconds/],
  ] as const)
    it(`is refused: ${what}`, async () => {
      const { code, said } = await run(words);
      expect(said).to.match(message);
      expect(code).to.equal(EXIT.badInput);
    });

  it('is none where a flag is said twice, or another command has the option as well', async () => {
    for (let time = 1; time <= 2; time++) {
      const { code, said } = await run(['policy', '--json', '--json', '--ttl=1']);
      expect(code, said).to.equal(EXIT.ok);
    }
  });
});
