import { lostOfBulk } from '../measure/bulk.ts';
import type { WriteRef } from '../measure/measurement.ts';
import { EVIDENCE_SHOWN, finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

/** Every acknowledged write is there after recovery. Where a loss is allowed, it must fit the targets; that it is a tail is no-holes' question. */
export const lostWrites: Check = {
  name: 'lost-writes',
  kind: 'safety',
  question: 'Is every write there that anybody ever acknowledged?',
  judge: (of) => {
    const { writes } = of.measurement;
    if (writes.readBackRegion === null) {
      return [
        finding('lost-writes', 'inconclusive', 'the copy of the region that serves could not be read, so nothing is known of lost writes'),
      ];
    }
    if (writes.acknowledged === 0) return [finding('lost-writes', 'inconclusive', 'no write was ever acknowledged')];
    const bulk = (of.measurement.backups?.bulk ?? []).find(({ kept, acknowledged }) => kept < acknowledged);
    if (bulk !== undefined && of.scenario.expect.loss !== 'allowed') {
      const message = `${bulk.acknowledged - bulk.kept} of ${bulk.acknowledged} acknowledged writes of bulk load ${bulk.name} are not in ${writes.readBackRegion}; no loss is allowed`;
      return [finding('lost-writes', 'fail', message, [bulk.line])];
    }
    if (writes.lost.length === 0 && bulk === undefined) {
      const message = `all ${writes.acknowledged} acknowledged writes are accounted for in ${writes.readBackRegion} (${writes.unknown} of unknown outcome count neither way)`;
      return [finding('lost-writes', 'pass', message)];
    }
    return of.scenario.expect.loss === 'allowed'
      ? judgeAllowed(of)
      : [finding('lost-writes', 'fail', `${tell(writes.lost)}; no loss is allowed`, lines(writes.lost))];
  },
};

function judgeAllowed({ scenario, measurement }: Case): readonly Finding[] {
  const { lost } = measurement.writes;
  const { lostWrites: limit, recoveryPointMs: limitMs } = scenario.targets;
  const pointMs = measurement.writes.recoveryPointMs ?? 0;
  const bulkLost = lostOfBulk(measurement);
  const bulk = bulkLost === 0 ? '' : `, and ${bulkLost} of the bulk load`;
  const told = `${tell(lost)}${bulk}; recovery point ${seconds(pointMs)}`;
  if (limit === null && limitMs === null) {
    const message = `${told}; a loss is allowed, but no target says how much: state recoveryPoint or lostWrites`;
    return [finding('lost-writes', 'inconclusive', message, lines(lost))];
  }
  // When those of a bulk load were written nobody knows: no recovery point has them in it.
  if (limit === null && bulkLost > 0)
    return [finding('lost-writes', 'inconclusive', `${told} without those; state lostWrites to say how many may be lost`, lines(lost))];
  const over = limit !== null && lost.length + bulkLost > limit;
  if (measurement.writes.lostFromStart && !over) return [finding('lost-writes', 'inconclusive', `${told}; ${FROM_START}`, lines(lost))];
  return [finding('lost-writes', over ? 'fail' : 'pass', limit === null ? told : `${told}; at most ${limit} are allowed`, lines(lost))];
}

/** What is lost to a copy that has nothing would be within any objective that is longer than the run. */
const FROM_START =
  'all that was written before is lost, and of an older system it would be more: let the clients write for longer than the objective before the loss';

/** Seconds of acknowledged work that are gone. */
export const recoveryPoint: Check = {
  name: 'recovery-point',
  kind: 'target',
  question: 'Is the recovery point within its objective?',
  judge: ({ scenario, measurement }) => {
    const objective = scenario.targets.recoveryPointMs;
    if (objective === null) return [finding('recovery-point', 'skipped', 'the scenario states no recovery point')];
    const { recoveryPointMs, lost, lostFromStart } = measurement.writes;
    if (recoveryPointMs === null) return [finding('recovery-point', 'inconclusive', 'no copy could be read')];
    const told = `${seconds(recoveryPointMs)}; the objective is ${seconds(objective)}`;
    if (recoveryPointMs > objective) return [finding('recovery-point', 'fail', told, lines(lost))];
    if (lostFromStart) return [finding('recovery-point', 'inconclusive', `at least ${told}; ${FROM_START}`, lines(lost))];
    const bulk = lostOfBulk(measurement);
    if (bulk > 0)
      return [finding('recovery-point', 'inconclusive', `${told}; when ${bulk} lost ones of a bulk load were written is not known`)];
    return [finding('recovery-point', 'pass', told, lines(lost))];
  },
};

function tell(lost: readonly WriteRef[]): string {
  const named = lost.slice(0, 5).map((write) => `${write.op} ${write.key}`);
  const which = named.length === 0 ? '' : `: ${named.join(', ')}${lost.length > named.length ? ', …' : ''}`;
  return `${lost.length} acknowledged write(s) lost${which}`;
}
function lines(lost: readonly WriteRef[]): readonly number[] {
  return lost.slice(0, EVIDENCE_SHOWN).map((write) => write.line);
}
