import { expect } from 'chai';
import { commandsOf } from './shell-blocks.ts';

describe('commands of a runbook', () => {
  it('are told in order, each with the place where it is typed; comments, text and other blocks are none', () => {
    const page = [
      '```sh',
      'a --x \\',
      '  --y   # says why',
      '# nothing',
      '```',
      '1. ```sh backup',
      '   b',
      '   ```',
      '   ```text',
      '   not c',
      '   ```',
      '   ```sh restore',
      '   d "#1"',
      '   ```',
      '```sh pair',
      'e',
      '```',
    ].join('\n');
    expect(commandsOf(page)).to.deep.equal([
      { place: 'operator', command: 'a --x --y' },
      { place: 'backup', command: 'b' },
      { place: 'restore', command: 'd "#1"' },
      { place: 'pair', command: 'e' },
    ]);
  });
  it('are refused in a place that nobody types in', () => {
    expect(() => commandsOf('```sh elsewhere\na\n```')).to.throw(/sh elsewhere/);
  });
});
