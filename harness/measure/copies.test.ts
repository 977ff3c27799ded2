import { expect } from 'chai';
import { nullHistory, stateAt } from '../testing/handmade.ts';
import { compareCopy, type CopyWindow } from './copies.ts';
import { viewRun } from './view.ts';

describe('a restored copy against the ledger', () => {
  const events = nullHistory();
  const view = viewRun(events);
  const WINDOW: CopyWindow = { fromMs: 4000, toMs: 4100, prefix: '' };
  const judge = (store: ReadonlyMap<string, string>, window: Partial<CopyWindow> = {}) =>
    compareCopy(view, Object.fromEntries(store), { ...WINDOW, ...window });
  const uniqueAt = (store: ReadonlyMap<string, string>): readonly string[] =>
    [...store.keys()].filter((key) => !key.startsWith('reg/')).toSorted((a, b) => Number(a.split('/')[1]) - Number(b.split('/')[1]));

  it("accepts every state that the system had within the window, with the engine's own keys", () => {
    for (let atMs = 4010; atMs < 4100; atMs += 7) {
      const copy = judge(stateAt(events, atMs).set('.canary/us-east1', 'x'));
      expect(copy.problems, `${atMs} ms`).to.deep.equal([]);
      expect(copy.stateMs!.fromMs).to.be.at.most(atMs);
      expect(copy.stateMs!.toMs).to.be.at.least(atMs);
      expect(copy.entries).to.equal(stateAt(events, atMs).size);
    }
  });

  it('refuses one that is older than asked for', () => {
    expect(judge(stateAt(events, 3900)).problems.join()).to.match(/should have all of before 4\.000 s.* lacks /);
  });

  it('refuses one with writes of after its time', () => {
    expect(judge(stateAt(events, 4200)).problems.join()).to.match(/has .* should have nothing of after 4\.100 s/);
  });

  it('refuses one that lacks an old write, though it has newer ones', () => {
    const store = stateAt(events, 4050);
    store.delete(uniqueAt(store)[10]!);
    expect(judge(store, { fromMs: null }).problems).to.have.length(1);
    expect(judge(store, { fromMs: null }).lines).to.have.length(2);
  });

  it('refuses one with a key that was deleted before', () => {
    const store = stateAt(events, 4050);
    const deleted = events.find((event) => event.kind === 'op' && event.op === 'delete' && event.completedMs < 3000);
    if (deleted?.kind !== 'op') throw new Error('nothing was deleted');
    const put = events.find((event) => event.kind === 'op' && event.op === 'put' && event.key === deleted.key);
    if (put?.kind !== 'op') throw new Error('it was never written');
    expect(judge(store.set(put.key, put.value!), { fromMs: null }).problems.join()).to.match(/lacks the delete of/);
  });

  it('refuses an older value of a register, and values and keys that nobody wrote', () => {
    const store = stateAt(events, 4050);
    const register = [...store.keys()].find((key) => key.startsWith('reg/'))!;
    const old = stateAt(events, 2500).get(register)!;
    expect(judge(new Map(store).set(register, old), { fromMs: null }).problems).to.have.length(1);
    expect(judge(new Map(store).set(register, 'made up')).problems.join()).to.match(/no client wrote there/);
    expect(judge(new Map(store).set('stranger', 'x')).problems.join()).to.match(/which no client wrote/);
  });

  it('refuses an empty copy of a system that was not empty', () => {
    expect(judge(new Map()).stateMs).to.equal(null);
  });

  it('of a prefix wants just that, and all of that', () => {
    const store = stateAt(events, 4050);
    const registers = new Map([...store].filter(([key]) => key.startsWith('reg/')));
    expect(judge(registers, { prefix: 'reg/' }).problems).to.deep.equal([]);
    expect(judge(store, { prefix: 'reg/' }).problems).to.not.deep.equal([]);
    registers.delete([...registers.keys()][0]!);
    expect(judge(registers, { prefix: 'reg/' }).problems).to.have.length(1);
  });

  it('asks nothing about a write whose outcome nobody knows', () => {
    const unknown = nullHistory({
      answer: ({ seq }) => ({
        outcome: seq % 7 === 0 ? 'unknown' : 'ok',
        latencyMs: 5,
        region: 'us-central1',
        epoch: 1,
        applied: seq % 2 === 0,
      }),
    });
    const store = stateAt(unknown, 4050);
    for (const event of unknown)
      if (
        event.kind === 'op' &&
        event.outcome === 'unknown' &&
        event.op === 'put' &&
        event.completedMs < 4050 &&
        !event.key.startsWith('reg/')
      )
        if (event.seq % 2 === 0) store.set(event.key, event.value!);
    expect(compareCopy(viewRun(unknown), Object.fromEntries(store), WINDOW).problems).to.deep.equal([]);
  });
});
