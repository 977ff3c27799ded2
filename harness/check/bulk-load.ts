import { finding, seconds, type Check } from './check.ts';
import { takeNamed } from './take-named.ts';

const NAME = 'bulk-load';
/** k6 exits so when a threshold was crossed. */
const THRESHOLD_CROSSED = 99;
/** k6 needs a second or two until it sends; what it was to load may be over when it comes later. */
const BEGINS_WITHIN_MS = 5000;

/** The bulk load was there as asked: what it dropped was never sent, which is a failure as it is for the clients that measure. */
export const bulkLoad: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did the bulk load send all that it was to send, and was enough of it answered?',
  judge: ({ scenario, measurement }) => {
    const asked = scenario.method.filter((step) => step.do === 'bulk');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario has no bulk load')];
    const left = [...(measurement.backups?.bulk ?? [])];
    return asked.map(({ name, perSecond, forMs, mayFail }) => {
      const load = takeNamed(left, name);
      if (load === undefined) return finding(NAME, 'inconclusive', `bulk load ${name} never ended`);
      const expected = Math.floor((perSecond * forMs) / 1000);
      const told = `${name}: ${load.iterations} of ${expected} iterations, ${load.dropped} dropped, ${(load.failedShare * 100).toFixed(1)} % failed`;
      if (load.exitCode !== 0 && load.exitCode !== THRESHOLD_CROSSED)
        return finding(NAME, 'inconclusive', `${told}; k6 ended with ${load.exitCode ?? 'nothing'}`, [load.line]);
      const wrong = [
        ...(load.dropped > 0 ? ['dropped iterations count as failures'] : []),
        ...(load.failedShare > mayFail ? [`at most ${(mayFail * 100).toFixed(1)} % may fail`] : []),
        ...(load.exitCode === 0 ? [] : [`crossed: ${load.crossed.join(', ')}`]),
      ];
      if (wrong.length > 0) return finding(NAME, 'fail', `${told}; ${wrong.join('; ')}`, [load.line]);
      if (load.iterations + 1 < expected)
        return finding(NAME, 'inconclusive', `${told}: too few, and nobody says where they are`, [load.line]);
      const lateMs = load.endedMs - load.startedMs - forMs - scenario.workload.timeoutMs;
      if (lateMs > BEGINS_WITHIN_MS)
        return finding(NAME, 'inconclusive', `${told}; k6 may have begun ${seconds(lateMs)} late: who knows what it loaded`, [load.line]);
      if (load.requests === 0 || load.requests < load.iterations)
        return finding(NAME, 'inconclusive', `${told}, but only ${load.requests} requests were sent`, [load.line]);
      // A share of failures is there only where k6 counted the answers.
      return load.acknowledged < (1 - mayFail) * load.requests
        ? finding(NAME, 'inconclusive', `${told}, but only ${load.acknowledged} of ${load.requests} requests are known to have succeeded`, [
            load.line,
          ])
        : finding(NAME, 'pass', told, [load.line]);
    });
  },
};
