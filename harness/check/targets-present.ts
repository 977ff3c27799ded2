import { finding, type Check } from './check.ts';

/** Nothing asked is nothing proved. */
export const targetsPresent: Check = {
  name: 'targets-present',
  kind: 'assumption',
  question: 'Does the scenario state a target to judge?',
  judge: ({ scenario }) => {
    const asked = scenario.targets;
    const within = (what: string, ms: number | null | undefined): readonly string[] =>
      typeof ms === 'number' ? [`${what} ≤ ${ms} ms`] : [];
    const named = [
      ...within('recovery time', asked.recoveryTimeMs),
      ...within('recovery point', asked.recoveryPointMs),
      ...within('pause of writes', asked.writePauseMs),
      ...within('brown-out', asked.brownOutMs),
      ...within('age of the newest proved backup', asked.backupAgeMs),
      ...within('restore', asked.restoreTimeMs),
      ...(asked.lostWrites === null ? [] : [`lost writes ≤ ${asked.lostWrites}`]),
    ];
    if (named.length > 0) return [finding('targets-present', 'pass', named.join(', '))];
    const message =
      'the scenario has no targets: nothing was asked, so nothing can pass; state recoveryTime, recoveryPoint, lostWrites, writePause, brownOut, backupAge or restoreTime under `targets`';
    return [finding('targets-present', 'inconclusive', message)];
  },
};
