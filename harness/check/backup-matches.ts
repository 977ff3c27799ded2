import { EVIDENCE_SHOWN, finding, seconds, type Case, type Check } from './check.ts';
import type { Restore } from '../measure/backup-account.ts';
import { registerOwner } from '../measure/registers.ts';
import type { Operation } from '../measure/view.ts';
import { takeNamed } from './take-named.ts';
import type { Finding } from './verdict.ts';

const NAME = 'backup-matches';

/** Every restored copy is a state that the system really had, at the time that was asked for. What the engine's checksums say plays no part. */
export const backupMatches: Check = {
  name: NAME,
  kind: 'safety',
  question: 'Is every restored copy just what the ledger says was there?',
  judge: (of) => {
    const { scenario, measurement } = of;
    if (!scenario.backup) return [finding(NAME, 'skipped', 'the scenario has no backups')];
    const restores = measurement.backups?.restores ?? [];
    const asked = scenario.method.filter((step) => step.do === 'restore');
    const left = [...restores];
    const found = asked.flatMap((step) => {
      const restore = takeNamed(left, step.name);
      if (restore === undefined) return [finding(NAME, 'inconclusive', `${step.name} was never restored`)];
      if (step.exits === 0 && restore.live && restore.exitCode === 0) return judgeLive(restore, of, restores);
      return step.exits === 0 || restore.copy !== null ? judgeRestore(restore) : [];
    });
    // A backup that nobody ever restored is a hope.
    return found.length > 0 ? found : [finding(NAME, 'inconclusive', 'nothing was restored that the ledger could be held against')];
  },
};

/** A loss that is allowed is of what no backup has: a restore that gave next to nothing back would be within it where the run is short. Of several the last one counts. */
function judgeLive(restore: Restore, of: Case, restores: readonly Restore[]): readonly Finding[] {
  const { name, hasBeforeMs, line } = restore;
  const isLast = restores.findLast((one) => one.live && one.exitCode === 0) === restore;
  const gone = hasBeforeMs === null || !isLast ? [] : of.measurement.writes.lost.filter(({ completedMs }) => completedMs < hasBeforeMs);
  const [first] = gone;
  if (first !== undefined) {
    const message = `${name} did not give back ${gone.length} write(s) that were acknowledged before ${seconds(hasBeforeMs ?? 0)}, all of which it had to have: ${first.op} ${first.key}`;
    return [finding(NAME, 'fail', message, [line, ...gone.slice(0, EVIDENCE_SHOWN).map((write) => write.line)])];
  }
  if (isLast && mayBeEmpty(restore, of)) {
    const message = `${name}: nothing says how new it had to be, and one that gave back next to nothing would be within the objective; name a mark (\`since\`)`;
    return [finding(NAME, 'inconclusive', message, [line])];
  }
  return [finding(NAME, 'pass', `${name} went into a database of the system; it is judged with it (lost-writes, no-holes)`, [line])];
}

/** Whether neither what it had to have nor the objective of the whole would tell that it gave back the very first writes only: where it gave back none at all, lost-writes and recovery-point say so. */
function mayBeEmpty({ hasBeforeMs, line }: Restore, { view, scenario }: Case): boolean {
  const order = view.events[line - 1];
  const givenMs = order?.kind === 'backup-order' ? order.givenMs : 0;
  const writes = stayingWrites(view.operations).filter(({ completedMs }) => completedMs < givenMs);
  const isAsked = writes.some(({ completedMs }) => completedMs < (hasBeforeMs ?? 0));
  if (isAsked || scenario.expect.loss === 'none') return false;
  const { recoveryPointMs, lostWrites } = scenario.targets;
  const allMs = writes.length === 0 ? 0 : writes.at(-1)!.completedMs - writes[0]!.intendedMs;
  return allMs <= (recoveryPointMs ?? Infinity) && writes.length <= (lostWrites ?? Infinity);
}

/** Acknowledged writes of keys that nobody overwrites or deletes, in the order of their answers: where they are missing, they are lost. */
function stayingWrites(operations: readonly Operation[]): readonly Operation[] {
  const deleted = new Set(operations.flatMap(({ op, key }) => (op === 'delete' ? [key] : [])));
  const stay = operations.filter(
    ({ op, outcome, key }) => op === 'put' && outcome === 'ok' && !deleted.has(key) && registerOwner(key) === null,
  );
  return stay.toSorted((a, b) => a.completedMs - b.completedMs);
}

function judgeRestore({ name, exitCode, copy, bounded, unread, line, copyLine }: Restore): readonly Finding[] {
  const lines = [line, ...(copyLine === null ? [] : [copyLine])];
  if (exitCode !== 0) return [finding(NAME, 'inconclusive', `${name} was not restored (exit code ${exitCode ?? 'none'})`, lines)];
  if (copy === null) return [finding(NAME, 'inconclusive', `the copy ${name} could not be read: ${unread ?? 'no reason known'}`, lines)];
  if (copy.stateMs === null) return [finding(NAME, 'fail', `${name}: ${copy.problems.join('; ')}`, [...lines, ...copy.lines])];
  if (copy.entries + copy.bulkEntries === 0) return [finding(NAME, 'inconclusive', `${name} is empty: it proves nothing`, lines)];
  if (!bounded) return [finding(NAME, 'inconclusive', `${name}: nothing says how new it had to be; name a mark (\`since\`)`, lines)];
  if (copy.bulkEntries < copy.bulkAtLeast) {
    const message = `${name} has ${copy.bulkEntries} entries of the bulk load; at least ${copy.bulkAtLeast} were acknowledged by then`;
    return [finding(NAME, 'inconclusive', message, lines)];
  }
  const { fromMs, toMs } = copy.stateMs;
  const told = `${name} is the state of between ${seconds(fromMs)} and ${seconds(toMs)}: ${copy.entries} entries of the ledger`;
  return [finding(NAME, 'pass', copy.bulkEntries === 0 ? told : `${told}, ${copy.bulkEntries} of the bulk load`, lines)];
}
