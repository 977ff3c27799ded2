import { expect } from 'chai';
import { HarnessError } from '../errors.ts';
import type { Primitive } from '../platform.ts';
import { LocalInjection, type HandledPod, type Hands } from './injection.ts';
import { Stillness } from './stillness.ts';
import { threeRegions } from './topology.ts';

const NEVER = new AbortController().signal;
/** Where no clock file can be written, so that the clock can neither be moved nor set right. */
const NO_FOLDER = '/proc/self/no-such-folder';

/** Hands that write down what they are told. */
function hands(done: string[], over: { readonly execute?: Hands['nft']['execute'] } = {}): Hands {
  const known = new Map<string, HandledPod>();
  const pod = (name: string): HandledPod => {
    const one = known.get(name) ?? newPod(name);
    known.set(name, one);
    return one;
  };
  const newPod = (name: string): HandledPod => ({
    place: { root: NO_FOLDER },
    stillness: new Stillness((signal) => void done.push(`${signal} ${name}`)),
    noteFrozen: () => undefined,
    killPod: () => Promise.resolve(),
    killContainer: () => Promise.resolve(),
    hold: () => Promise.resolve(),
    release: () => void done.push(`release ${name}`),
  });
  const execute = (command: string): Promise<void> => {
    done.push(command.split(' ')[0] ?? '');
    return Promise.resolve();
  };
  return { topology: threeRegions(), nft: { execute, ...over }, supervisor: pod, nowMs: () => 1 };
}

const CLOCK: Primitive = { act: 'move-clock', pods: ['api-us-east1'], offsetMs: 60_000 };
const FREEZE: Primitive = { act: 'freeze', pods: ['api-us-east1'], share: 1, periodMs: 100 };
const HOLD: Primitive = { act: 'pod-hold', pods: ['api-europe-west1'] };
const CUT: Primitive = { act: 'cut', from: ['api-us-east1'], to: ['api-us-central1'] };

async function rejection(work: Promise<unknown>): Promise<HarnessError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof HarnessError) return error;
  throw new Error(`expected a HarnessError, got ${String(error)}`);
}

describe('healing a fault of the lab', () => {
  it('takes back everything else where a clock cannot be set right, what stands still first', async () => {
    const done: string[] = [];
    // apply() cannot move the clock either, and takes back what it had done.
    const error = await rejection(new LocalInjection('f', [HOLD, CLOCK, FREEZE, CUT], hands(done)).apply(NEVER));
    expect(error.message).to.match(/could not be injected and was not wholly taken back.*no-such-folder/);
    expect(done.slice(done.indexOf('SIGCONT api-us-east1'))).to.have.members([
      'SIGCONT api-us-east1',
      'release api-europe-west1',
      'delete',
    ]);
  });

  it('tells every failure', async () => {
    const refusing = hands([], {
      execute: (command) => (command.startsWith('delete') ? Promise.reject(new Error('nft is gone')) : Promise.resolve()),
    });
    const error = await rejection(new LocalInjection('f', [CLOCK, CUT], refusing).apply(NEVER));
    expect(error.message)
      .to.match(/no-such-folder/)
      .and.match(/nft is gone/);
  });

  it('ends when its time is over, having tried everything', async () => {
    const done: string[] = [];
    const deaf = hands(done, { execute: (command) => (command.startsWith('delete') ? new Promise(() => undefined) : Promise.resolve()) });
    const injection = new LocalInjection('f', [FREEZE, CUT], deaf);
    await injection.apply(NEVER);
    const error = await rejection(injection.heal(AbortSignal.abort(new Error('the budget is used up'))));
    expect(error.message).to.contain('the budget is used up');
    expect(done).to.include('SIGCONT api-us-east1');
  });

  it('wakes nobody whom another fault holds still as well', async () => {
    const done: string[] = [];
    const both = hands(done);
    const [one, other] = [new LocalInjection('one', [FREEZE], both), new LocalInjection('other', [FREEZE], both)];
    await one.apply(NEVER);
    await other.apply(NEVER);
    await one.heal(NEVER);
    expect(done).not.to.include('SIGCONT api-us-east1');
    await other.heal(NEVER);
    expect(done).to.include('SIGCONT api-us-east1');
  });

  it('does nothing the second time', async () => {
    const done: string[] = [];
    const injection = new LocalInjection('f', [FREEZE, CUT], hands(done));
    await injection.apply(NEVER);
    await injection.heal(NEVER);
    const once = done.length;
    await injection.heal(NEVER);
    expect(done).to.have.length(once);
  });
});
