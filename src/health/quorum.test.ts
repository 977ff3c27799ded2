import { expect } from 'chai';
import fc from 'fast-check';
import { PRESETS } from '../config/policy.ts';
import { judgeQuorum, type Question } from './quorum.ts';
import { castVote, takeVote, voteLifeMs, type ReceivedVote, type Vote } from './vote.ts';

const policy = PRESETS.lab;
const observers = ['us-central1', 'us-east1', 'europe-west1'];
const NOW = 10_000;

function vote(region: string, change: Partial<Vote> = {}, receivedAtMs = NOW - 20): ReceivedVote {
  const base = {
    region,
    incarnation: 'i',
    seq: 1,
    primary: 'us-central1',
    epoch: 1,
    verdict: 'suspect' as const,
    suspectForMs: 100,
    commitAgeMs: 700,
  };
  return { vote: { ...base, ...change }, sentAtMs: receivedAtMs - 5, receivedAtMs };
}
function ask(votes: readonly ReceivedVote[], change: Partial<Question> = {}) {
  const question = { observers, primary: 'us-central1', epoch: 1, candidate: 'us-east1', ...change };
  return judgeQuorum({ ...question, votes: new Map(votes.map((received, i) => [`controller ${i}`, received])) }, NOW, policy);
}

describe('quorum', () => {
  it('is a majority with one outside the primary and one outside both', () => {
    expect(ask([vote('us-east1'), vote('europe-west1')])).to.deep.include({ kind: 'suspects', by: ['us-east1', 'europe-west1'] });
    expect(ask([vote('us-central1'), vote('europe-west1')]).kind).to.equal('suspects');
    expect(ask([vote('us-central1'), vote('us-east1')]).kind, 'nobody outside both').to.equal('none');
    expect(ask([vote('europe-west1')]).kind, 'one of three').to.equal('none');
  });

  it('lasts since the last that was needed began to suspect, on the own clock', () => {
    const votes = [
      vote('us-east1', { suspectForMs: 500 }),
      vote('europe-west1', { suspectForMs: 300 }),
      vote('us-central1', { suspectForMs: 10 }),
    ];
    expect(ask(votes)).to.deep.include({ kind: 'suspects', sinceMs: NOW - 20 - 300 });
  });

  it('is vetoed by one who saw a commit within two periods, also by one who still suspects', () => {
    const others = [vote('us-east1'), vote('europe-west1')];
    expect(ask([...others, vote('us-central1', { verdict: 'healthy', commitAgeMs: 150 })]).kind).to.equal('veto');
    expect(ask([...others, vote('us-central1', { commitAgeMs: 180 })]).kind, 'saw one 200 ms ago').to.equal('veto');
    expect(ask([...others, vote('us-central1', { commitAgeMs: 181 })]).kind).to.equal('suspects');
  });

  it('counts the controllers of a region once, by the freshest vote, but is vetoed by any of them', () => {
    const twice = [vote('us-east1'), vote('us-east1', { incarnation: 'j' })];
    expect(ask(twice).kind, 'two controllers, one observer').to.equal('none');
    const older = vote('us-east1', { verdict: 'healthy' }, NOW - 60);
    expect(ask([older, vote('us-east1', { incarnation: 'j' }), vote('europe-west1')]).kind).to.equal('suspects');
    const newer = vote('us-east1', { verdict: 'healthy' }, NOW - 10);
    expect(ask([vote('us-east1', { incarnation: 'j' }), newer, vote('europe-west1')]).kind).to.equal('none');
    expect(ask([vote('us-east1'), vote('europe-west1'), vote('us-east1', { incarnation: 'j', commitAgeMs: 20 }, NOW - 60)])).to.deep.equal({
      kind: 'veto',
      by: 'us-east1',
    });
  });

  it('counts no old vote, none on another epoch or primary, no blind observer, no stranger', () => {
    const one = vote('us-east1');
    const nothing = [
      vote('europe-west1', {}, NOW - voteLifeMs(policy)),
      vote('europe-west1', { epoch: 2 }),
      vote('europe-west1', { primary: 'us-east1' }),
      vote('europe-west1', { verdict: 'blind' }),
      vote('europe-west1', { verdict: 'unknown' }),
      vote('europe-west1', { verdict: 'healthy', commitAgeMs: 400 }),
      vote('asia-east1'),
    ];
    for (const other of nothing) expect(ask([one, other]).kind, JSON.stringify(other)).to.equal('none');
  });

  it('never comes from fewer than a majority of the configured, whoever answers', () => {
    const verdict = fc.constantFrom('suspect' as const, 'blind' as const, 'healthy' as const, 'unknown' as const);
    const five = ['a', 'b', 'c', 'd', 'e'];
    fc.assert(
      fc.property(fc.array(verdict, { minLength: 5, maxLength: 5 }), fc.subarray(five), (verdicts, answering) => {
        const votes = answering.map((region) => vote(region, { verdict: verdicts[five.indexOf(region)] as Vote['verdict'], primary: 'a' }));
        const suspects = votes.filter((received) => received.vote.verdict === 'suspect').length;
        const quorum = ask(votes, { observers: five, primary: 'a', candidate: 'b' });
        expect(quorum.kind === 'suspects').to.equal(suspects >= 3);
      }),
    );
  });
});

describe('votes', () => {
  it('are not taken out of order, but from a restarted observer', () => {
    const votes = takeVote(new Map(), 'url', vote('us-east1', { seq: 5 }));
    expect(takeVote(votes, 'url', vote('us-east1', { seq: 4 }))).to.equal(votes);
    expect(takeVote(votes, 'url', vote('us-east1', { seq: 1, incarnation: 'j' })).get('url')?.vote.incarnation).to.equal('j');
  });

  it('say blind instead of suspect where nobody is reached', () => {
    const detection = { primary: 'p', epoch: 1, aliveAtMs: 0, lastCommitAtMs: 50, straightSuccesses: 0, missed: 4, suspectSinceMs: 600 };
    const voter = { region: 'r', incarnation: 'i', seq: 1 };
    expect(castVote({ ...voter, blind: true }, detection, 700)).to.include({ verdict: 'blind', suspectForMs: 100, commitAgeMs: 650 });
    expect(castVote({ ...voter, blind: false }, detection, 700)).to.include({ verdict: 'suspect' });
    expect(castVote({ ...voter, blind: true }, null, 700)).to.include({ verdict: 'blind', primary: null });
  });
});
