import { expect } from 'chai';
import { runProgram } from './run-program.ts';

const never = new AbortController().signal;
const shell = (script: string, timeoutMs = 4000, input = '') =>
  runProgram({ program: '/bin/sh', args: ['-c', script], input, timeoutMs }, never);

describe('run program', () => {
  it('tells the exit code and what was said on both outputs', async () => {
    expect(await shell('cat; echo no >&2; exit 3', 4000, 'asked ')).to.include({ code: 3, said: 'asked no', output: 'asked ' });
    expect(await shell('true')).to.include({ code: 0, said: 'exit code 0', output: '' });
  });

  it('has no answer from a program that hangs, is killed, or is not there', async () => {
    expect(await shell('sleep 60 & wait', 100)).to.include({ code: null, said: 'no answer within 100 ms' });
    expect(await shell('kill -9 $$')).to.include({ code: null, said: 'ended by a signal' });
    const missing = await runProgram({ program: '/nowhere/veto', args: [], input: '', timeoutMs: 4000 }, never);
    expect(missing).to.include({ code: null }).and.to.have.property('said').that.contains('ENOENT');
  });

  it('keeps its own settings to itself, and a flood of output within bounds', async () => {
    process.env['CODITECT_DR_SECRET_TEST'] = 'canary';
    expect((await shell('env')).said).not.to.contain('canary');
    delete process.env['CODITECT_DR_SECRET_TEST'];
    expect((await shell('head -c 100000 /dev/zero | tr "\\0" x')).said).to.have.length(4096);
  });

  it('ends with the signal', async () => {
    const ending = new AbortController();
    const running = runProgram({ program: '/bin/sleep', args: ['60'], input: '', timeoutMs: 60_000 }, ending.signal);
    ending.abort();
    expect(await running).to.include({ code: null, said: 'stopped' });
  });
});
