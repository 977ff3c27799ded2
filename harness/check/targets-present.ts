import { finding, type Check } from './check.ts';

/** Nothing asked is nothing proved. */
export const targetsPresent: Check = {
  name: 'targets-present',
  kind: 'assumption',
  question: 'Does the scenario state a target to judge?',
  judge: ({ scenario }) => {
    const { recoveryTimeMs, recoveryPointMs, lostWrites, writePauseMs, backupAgeMs = null, restoreTimeMs = null } = scenario.targets;
    const named = [
      ...(recoveryTimeMs === null ? [] : [`recovery time ≤ ${recoveryTimeMs} ms`]),
      ...(recoveryPointMs === null ? [] : [`recovery point ≤ ${recoveryPointMs} ms`]),
      ...(writePauseMs === null ? [] : [`pause of writes ≤ ${writePauseMs} ms`]),
      ...(backupAgeMs === null ? [] : [`age of the newest proved backup ≤ ${backupAgeMs} ms`]),
      ...(restoreTimeMs === null ? [] : [`restore ≤ ${restoreTimeMs} ms`]),
      ...(lostWrites === null ? [] : [`lost writes ≤ ${lostWrites}`]),
    ];
    if (named.length > 0) return [finding('targets-present', 'pass', named.join(', '))];
    const message =
      'the scenario has no targets: nothing was asked, so nothing can pass; state recoveryTime, recoveryPoint, lostWrites, writePause, backupAge or restoreTime under `targets`';
    return [finding('targets-present', 'inconclusive', message)];
  },
};
