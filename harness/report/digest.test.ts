import { expect } from 'chai';
import { OWN_ENGINE } from '../history/event.ts';
import { sampleRun, type SampleOptions } from '../testing/sample-run.ts';
import { certificateMarkdown, certificateOf } from './certificate.ts';
import { annotations, digestMarkdown, digestOf, type DigestRun } from './digest.ts';
import { toResultDocument } from './result.ts';

let count = 0;
const NONE = { names: [], times: 1 };
const played = (name: string, outcome: SampleOptions['outcome'] = 'pass', reason = 'because'): DigestRun => ({
  folder: `20261127T000000000Z-${name}`,
  result: { ...toResultDocument(sampleRun({ name, outcome, reason })), runId: `run ${++count}` },
});
const brokenOff: DigestRun = { folder: '20261127T000000001Z-null', result: null };

describe('many runs as one verdict', () => {
  it('passes only where everything that was wanted was played to its end and passed', () => {
    expect(digestOf([played('a'), played('b')], { names: ['a', 'b'], times: 1 }).outcome).to.equal('pass');
    expect(digestOf([played('a'), played('a')], { names: ['a'], times: 2 }).outcome).to.equal('pass');
    const one = played('a');
    for (const [runs, wanted] of [
      [[], NONE],
      [[one, { ...one, folder: 'a copy of it' }], { names: ['a'], times: 2 }],
      [[played('a'), brokenOff], NONE],
      [[played('a')], { names: ['a', 'b'], times: 1 }],
      [[played('a')], { names: ['a'], times: 2 }],
      [[played('a'), played('b', 'inconclusive')], NONE],
    ] as const)
      expect(digestOf(runs, wanted).outcome).to.equal('inconclusive');
  });

  it('is no pass where the runs are of several engines', () => {
    const own = played('a');
    const result = own.result!;
    const others = { ...own, result: { ...result, environment: { ...result.environment, versions: { engine: '/tmp/other.js' } } } };
    expect(digestOf([own, played('b')], NONE).outcome).to.equal('pass');
    const digest = digestOf([others, played('b')], NONE);
    expect(digest.outcome).to.equal('inconclusive');
    expect(digest.reason).to.match(/of 2 engines: .*\/tmp\/other\.js/);
  });

  it('is no pass of one engine where all runs are of another, or nobody knows of which', () => {
    const wanted = { ...NONE, engine: OWN_ENGINE };
    for (const versions of [{ engine: '/tmp/other.js' }, {}]) {
      const { folder, result } = played('a');
      const other = { folder, result: { ...result!, environment: { ...result!.environment, versions } } };
      expect(digestOf([other], NONE).outcome).to.equal('pass');
      const digest = digestOf([other], wanted);
      expect(digest.outcome).to.equal('inconclusive');
      expect(digest.reason).to.match(
        /^1 of 1 run passed, of 1 engine: (\/tmp\/other\.js|one that is not named); coditect-dr was to be played$/,
      );
    }
    expect(digestOf([played('a')], wanted).outcome).to.equal('pass');
  });

  it('is no pass where this engine was another between the runs, nor of a commit where it was another, had changes, or nobody knows', () => {
    const of = (revision?: string): DigestRun => {
      const { folder, result } = played('a');
      const versions = { engine: OWN_ENGINE, ...(revision === undefined ? {} : { revision }) };
      return { folder, result: { ...result!, environment: { ...result!.environment, versions } } };
    };
    const wanted = { ...NONE, commit: 'c0ffee5eed' };
    expect(digestOf([of('c0ffee'), of('c0ffee')], wanted).outcome).to.equal('pass');
    for (const revision of ['c0ffe1', 'c0ffee-dirty-01234567', 'unknown', undefined]) {
      expect(digestOf([of(revision)], NONE).outcome, revision).to.equal('pass');
      expect(digestOf([of(revision)], wanted).outcome, revision).to.equal('inconclusive');
    }
    const digest = digestOf([of('c0ffee'), of('decade')], NONE);
    expect(digest.outcome).to.equal('inconclusive');
    expect(digest.reason).to.equal('2 of 2 runs passed, of 2 revisions: c0ffee, decade');
  });

  it('fails where one failed, whatever else is missing, and names what is', () => {
    const digest = digestOf([played('a', 'fail'), brokenOff, played('b')], { names: ['a', 'b', 'c'], times: 1 });
    expect(digest.outcome).to.equal('fail');
    expect(digest.reason).to.equal('1 of 3 runs passed, 1 failed, 1 broken off, not played: c');
  });

  it('says the verdict in its first line, and nothing of a run is markup or a command of its own', () => {
    const nasty = 'a | b\n::error::mine <!-- x --> # y';
    const digest = digestOf([played('a', 'fail', nasty)], NONE);
    const text = digestMarkdown(digest);
    expect(text.split('\n')[0]).to.equal('# Game days: FAIL');
    expect(text).to.include('a \\| b ::error::mine \\<!-- x --\\> \\# y');
    const lines = annotations(digest);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^::error file=scenarios\/region-isolation\.yaml,title=a%3A fail::a \| b%0A::error::mine/);
    expect(lines[0]).not.to.include('\n');
  });

  it('annotates what broke off and what is missing, and nothing that passed', () => {
    const lines = annotations(digestOf([played('a'), brokenOff], { names: ['a', 'b'], times: 1 }));
    expect(lines.map((line) => /title=([^,:]*)/.exec(line)?.[1])).to.deep.equal([`${brokenOff.folder}%3A broken off`, 'b%3A not played']);
  });

  it('certifies a pass and nothing else, in the first line', () => {
    const subject = { tag: 'v1.2.3', commit: 'c0ffee' };
    const made = { madeWall: '2026-11-27T00:00:00.000Z', unasked: [], sha256: new Map([[brokenOff.folder, { 'events.ndjson': 'aa' }]]) };
    const first = (runs: readonly DigestRun[]): string | undefined => {
      const digest = digestOf(runs, NONE);
      const certificate = certificateOf(digest, subject, made);
      expect(certificate.certified).to.equal(digest.outcome === 'pass');
      return certificateMarkdown(certificate, digest).split('\n')[0];
    };
    expect(first([played('a')])).to.equal('# v1.2.3: CERTIFIED');
    expect(first([played('a'), brokenOff])).to.equal('# v1.2.3: NOT CERTIFIED');
    expect(first([played('a', 'fail')])).to.equal('# v1.2.3: NOT CERTIFIED');
    const part = digestOf([played('a')], NONE);
    const [of, whole] = [certificateOf(part, subject, { ...made, unasked: ['b', 'c'] }), certificateOf(part, subject, made)];
    expect([whole.certified, whole.unasked]).to.deep.equal([true, []]);
    expect([of.certified, of.unasked], 'a part of what a release is asked').to.deep.equal([false, ['b', 'c']]);
    const text = certificateMarkdown(of, part);
    expect(text.split('\n')[0]).to.equal('# v1.2.3: CERTIFIED IN PART ONLY');
    expect(text).to.contain('asked: 2 scenarios of it are not here.** Not asked for: b, c.');
    const failed = digestOf([played('a', 'fail')], NONE);
    expect(certificateMarkdown(certificateOf(failed, subject, { ...made, unasked: ['b'] }), failed)).to.match(
      /^# v1\.2\.3: NOT CERTIFIED\n/,
    );
    expect(certificateOf(digestOf([brokenOff], NONE), subject, made).runs[0]?.sha256).to.deep.equal({ 'events.ndjson': 'aa' });
  });
});
