import { expect } from 'chai';
import { EngineError } from '../../platform/errors.ts';
import { logFile, mutationGroup, type TestGroup } from '../../testing/foundationdb-log-file.ts';
import { SAMPLE, SAMPLE_NAME } from '../../testing/foundationdb-log-sample.ts';
import { decodeLogFile, parseLogFileName } from './log-file.ts';

const NAME = { begin: 100, end: 200, blockBytes: 256 };
const group = (version: number, ...texts: readonly string[]): TestGroup => ({
  version,
  mutations: texts.map((text) => ({ type: 0, key: Buffer.from(text), value: Buffer.from('v') })),
});
const told = (bytes: Buffer, name = NAME): string[] => decodeLogFile(bytes, name).map(({ version, key }) => `${version} ${key.toString()}`);

describe('a log file of fdbbackup', () => {
  it('gives what a real one holds, by version', () => {
    const name = parseLogFileName(SAMPLE_NAME)!;
    expect(name).to.deep.equal({ begin: 21337856, end: 41337856, blockBytes: 1048576 });
    const found = decodeLogFile(SAMPLE, name).map(({ version, type, key, value }) => [version, type, key.toString(), value.toString()]);
    expect(found.slice(-6)).to.deep.equal([
      [29654004, 0, 'app/data/k20', 'v20'],
      [29672820, 0, 'app/fence', 'f20'],
      [29688855, 1, 'app/data/k1', 'app/data/k1\0'],
      [30905004, 1, 'app/data/', 'app/data0'],
      [30905004, 1, 'app/fence', 'app/fence\0'],
      [31379837, 0, 'app/data/z', 'z'],
    ]);
  });

  it('is put together from parts in any order, over several blocks, and may be empty', () => {
    const long = 'x'.repeat(300);
    const bytes = logFile([group(150, 'b', long), group(101, 'a'), group(199, 'c', 'd')], { blockBytes: 256, partBytes: 90 });
    expect(bytes.length).to.be.greaterThan(2 * 256);
    expect(told(bytes)).to.deep.equal(['101 a', '150 b', `150 ${long}`, '199 c', '199 d']);
    expect(told(Buffer.alloc(0))).to.deep.equal([]);
  });

  it('is refused where it is cut within a pair, where a part is missing or there twice, or of a version that is not its own', () => {
    const refused = (bytes: Buffer, what: RegExp): void => {
      expect(() => decodeLogFile(bytes, NAME)).to.throw(EngineError, what);
    };
    const whole = logFile([group(150, 'abc')], NAME);
    // At the length of no pair at all it is a file of nothing: fdbbackup gives a file its name only when it is complete.
    for (let length = 1; length < whole.length; length++) if (length !== 4) refused(whole.subarray(0, length), /cut|is not of version/);
    const parts = mutationGroup(group(150, 'a'.repeat(60)));
    const pair = (part: number, bytes: Buffer): { version: number; part: number; bytes: Buffer } => ({ version: 150, part, bytes });
    const [first, second] = [parts.subarray(0, 40), parts.subarray(40)];
    expect(told(logFile([pair(1, second), pair(0, first)], NAME))).to.have.lengthOf(1);
    refused(logFile([pair(0, first)], NAME), /what version 150 changed is cut/);
    refused(logFile([pair(1, second)], NAME), /part 0 of version 150 is missing/);
    refused(logFile([pair(0, first), pair(2, second)], NAME), /part 1 of version 150 is missing/);
    refused(logFile([pair(0, first), pair(0, first)], NAME), /part 0 of version 150 is there twice/);
    refused(logFile([group(99, 'a')], NAME), /version 99 is none of its own/);
    refused(logFile([group(200, 'a')], NAME), /version 200 is none of its own/);
  });

  it('is known by its name, once it is complete', () => {
    const uid = 'a30752fd2e3090956c2bc9963b21ccc3';
    expect(parseLogFileName(`log,5,6,${uid},1048576`)).to.deep.equal({ begin: 5, end: 6, blockBytes: 1048576 });
    for (const name of [`log,5,6,${uid},1048576.b1.temp`, `log,6,6,${uid},9`, `log,5,6,${uid}`, 'log_begin_version', `log,5,6,x,9`])
      expect(parseLogFileName(name), name).to.equal(null);
  });
});
