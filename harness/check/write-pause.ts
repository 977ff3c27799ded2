import { certainWritePauseMs } from '../measure/availability.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'write-pause';

/** The longest time that any judged client got no write acknowledged: what a planned move costs, where there is no fault to recover from. */
export const writePause: Check = {
  name: NAME,
  kind: 'target',
  question: 'Was the longest pause of writes within its objective?',
  judge: ({ view, scenario, measurement }) => {
    const objective = scenario.targets.writePauseMs;
    if (objective === null) return [finding(NAME, 'skipped', 'the scenario states no pause of writes')];
    const pause = measurement.writePause;
    if (pause === null) return [finding(NAME, 'inconclusive', 'no pause could be measured')];
    const told = `${pause.vantage} had no write acknowledged for ${seconds(pause.pauseMs)}; the objective is ${seconds(objective)}`;
    if (pause.pauseMs <= objective) return [finding(NAME, 'pass', told)];
    const certainMs = certainWritePauseMs(view);
    if (certainMs > objective) return [finding(NAME, 'fail', told)];
    return [finding(NAME, 'inconclusive', `${told}; but for what the clients themselves stood still it was ${seconds(certainMs)} at most`)];
  },
};
