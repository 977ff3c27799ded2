import { finding, seconds, type Check } from './check.ts';

/** How much would be lost if only backups were left: the age of the newest one that a restore proved. */
export const backupAge: Check = {
  name: 'backup-age',
  kind: 'target',
  question: 'Was the newest proved backup young enough when the fault struck?',
  judge: ({ scenario, measurement }) => {
    const objective = scenario.targets.backupAgeMs ?? null;
    if (objective === null) return [finding('backup-age', 'skipped', 'the scenario states no age of backups')];
    const point = measurement.backups?.recoveryPoint ?? null;
    if (point === null) return [finding('backup-age', 'inconclusive', 'there was no backup before a fault that a restored copy proved')];
    const { ageMs, atLeastMs, fault } = point;
    const told = `between ${seconds(atLeastMs)} and ${seconds(ageMs)} when ${fault} took effect; the objective is ${seconds(objective)}`;
    return [finding('backup-age', atLeastMs > objective ? 'fail' : ageMs <= objective ? 'pass' : 'inconclusive', told)];
  },
};

/** The longest of the restores that succeeded, from the order to its end. */
export const restoreTime: Check = {
  name: 'restore-time',
  kind: 'target',
  question: 'Were restores fast enough?',
  judge: ({ scenario, measurement }) => {
    const objective = scenario.targets.restoreTimeMs ?? null;
    if (objective === null) return [finding('restore-time', 'skipped', 'the scenario states no time of a restore')];
    const restored = (measurement.backups?.restores ?? []).filter(({ exitCode }) => exitCode === 0);
    const [longest] = restored.toSorted((a, b) => b.elapsedMs - a.elapsedMs);
    if (longest === undefined) return [finding('restore-time', 'inconclusive', 'nothing was restored')];
    const told = `${longest.name} took ${seconds(longest.elapsedMs)}; the objective is ${seconds(objective)}`;
    return [finding('restore-time', longest.elapsedMs <= objective ? 'pass' : 'fail', told, [longest.line])];
  },
};
