import { expect } from 'chai';
import fc from 'fast-check';
import { outagesAfter } from '../measure/outages.ts';
import type { ServiceSample } from '../measure/service.ts';
import { backSince, withMargin } from './back-since.ts';

const WORKLOAD = { periodMs: 20, timeoutMs: 1000, goodWithinMs: 250, sustained: { operations: 25, forMs: 500 } };

/** Two operations a tick, with these latencies. */
const played = (latencies: readonly (readonly [number, number])[]): readonly ServiceSample[] =>
  latencies.flatMap((both, tick) =>
    both.map((tookMs) => ({ intendedMs: tick * 20, completedMs: tick * 20 + tookMs, outcome: 'ok' as const })),
  );
/** What is answered by an instant, in the order of the answers. */
const answeredBy = (samples: readonly ServiceSample[], ms: number): readonly ServiceSample[] =>
  samples.filter(({ completedMs }) => completedMs <= ms).toSorted((a, b) => a.completedMs - b.completedMs);
const open = (samples: readonly ServiceSample[]): boolean =>
  outagesAfter(samples, { lowerMs: 0, upperMs: 0 }, WORKLOAD).some(({ back }) => back === null);

describe('service that is back', () => {
  it('may be judged not to be where the load ended with the first window, which the margin is for', () => {
    // The first of a pair that was due right after a late one decides when the window began, and the judge may take the other.
    const latencies = [[252, 240], [97, 237], ...Array.from({ length: 32 }, () => [10, 10])] as [number, number][];
    const samples = played(latencies);
    const judged = samples.map((sample, index) => samples[index % 2 === 0 ? index + 1 : index - 1] ?? sample);
    expect(open(judged)).to.equal(true);
    const told = answeredBy(samples, Infinity);
    expect(backSince(told, { fromMs: 0, afterOutage: false }, WORKLOAD)).to.equal(true);
    expect(backSince(told, { fromMs: 0, afterOutage: false }, withMargin(WORKLOAD))).to.equal(false);
  });

  it('is back for the judge too, whichever of two that were due together he takes first', () => {
    const latency = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 250 }) }, fc.constant(300));
    fc.assert(
      fc.property(fc.array(fc.tuple(latency, latency), { minLength: 60, maxLength: 120 }), fc.boolean(), (latencies, swapped) => {
        // The last second is good, so that most of them end with service.
        const samples = played([...latencies, ...Array.from({ length: 50 }, (): [number, number] => [20, 240])]);
        const endMs = samples.at(-1)?.intendedMs ?? 0;
        if (!backSince(answeredBy(samples, endMs), { fromMs: 0, afterOutage: false }, withMargin(WORKLOAD))) return;
        expect(
          open(swapped ? samples.map((sample, index) => samples[index % 2 === 0 ? index + 1 : index - 1] ?? sample) : samples),
        ).to.equal(false);
      }),
    );
  }).timeout(60_000);
});
