import { expect } from 'chai';
import { relative } from 'node:path';
import type { FindingOutcome } from '../harness/check/verdict.ts';
import { readEvents } from '../harness/history/reader.ts';
import { judge } from '../harness/check/judge.ts';
import { playAndJudge, type Played } from '../harness/commands/run.ts';
import { missingTools } from '../harness/commands/missing-tools.ts';
import { loadSet } from '../harness/commands/sets.ts';
import { CHECKS } from '../harness/registry.ts';
import { SETS, type ScenarioSet } from '../harness/scenario/scenario.ts';

/** What depends on how busy the machine is: told, not asserted. `gameday run` judges it. That service was not back at all when the load ended is no matter of time. */
const TIMING = ['recovery-time', 'restore-time', 'backup-age'];
const LIMIT_MS = { embedded: 240_000, foundationdb: 420_000 } as const;
/** On a busy machine a day may have nothing to say (its service was not steady, a client was kept from sending): it is played again, so often at most, and the last one counts. One that fails has failed. */
const DAYS = 3;
/** Which are played; scripts/test says it. */
const sets = (process.env['SCENARIO_SETS'] ?? 'default').split(',').map(named);
const onFoundationdb = sets.includes('default') ? loadSet('foundationdb').filter(({ scenario }) => scenario.sets.includes('default')) : [];

function named(text: string): ScenarioSet {
  const set = SETS.find((one) => one === text);
  if (set === undefined) throw new Error(`SCENARIO_SETS: ${text} is no set; there are ${SETS.join(', ')}`);
  return set;
}

/** Each scenario a suite, its checks the tests, those of the default set on FoundationDB as well. Serially: two labs on one machine would measure each other. */
for (const loaded of [...sets.flatMap((set) => loadSet(set)), ...onFoundationdb]) {
  const missing = missingTools(loaded);
  const title = `${loaded.scenario.name}: ${loaded.scenario.question}`;
  describe(missing === undefined ? title : `${title} (skipped: ${missing})`, function () {
    this.timeout(DAYS * LIMIT_MS[loaded.scenario.database ?? 'embedded']);
    let played: Played;
    if (missing !== undefined) return void it(`is skipped: ${missing}`);

    before(async () => {
      const options = { seed: undefined, reports: 'reports', engine: undefined, json: true };
      for (let day = 1; day <= DAYS; day++) {
        played = await playAndJudge(loaded, { options, repetition: null });
        const { outcome, reason } = played.result.verdict;
        if (outcome !== 'inconclusive') return;
        process.stdout.write(`    day ${day} of at most ${DAYS} said nothing: ${reason}\n`);
      }
    });

    for (const check of CHECKS) {
      it(`${check.name}: ${check.question}`, function () {
        const findings = played.result.findings.filter((finding) => finding.check === check.name);
        const asked = findings.filter((finding) => finding.outcome !== 'skipped');
        if (asked.length === 0 && findings.length > 0) this.skip();
        const told = asked.map((finding) => `${finding.outcome}: ${finding.message}`).join('\n');
        const { state } = played.result.recovery;
        const isTiming = TIMING.includes(check.name) && state !== 'censored';
        const refused: readonly FindingOutcome[] = isTiming ? [] : ['fail', 'inconclusive'];
        const wrong = asked.filter((finding) => refused.includes(finding.outcome));
        expect(asked.length, `no finding in ${played.folder}`).to.be.above(0);
        expect(wrong, `${told}\n(${relative('.', played.folder)}/report.html)`).to.deep.equal([]);
      });
    }

    it('judges the same again, from its record alone', () => {
      const again = judge(readEvents(`${played.folder}/events.ndjson`), CHECKS);
      expect(again.verdict.outcome).to.equal(played.result.verdict.outcome);
      expect(again.verdict.findings).to.deep.equal(played.result.findings);
    });
  });
}
