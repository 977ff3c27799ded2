import { finding, seconds, type Check } from './check.ts';

/** The objective is judged on the worst mustRecover vantage, and on the whole interval. */
export const recoveryTime: Check = {
  name: 'recovery-time',
  kind: 'target',
  question: 'Was service back within its objective?',
  judge: ({ scenario, measurement }) => {
    const objective = scenario.targets.recoveryTimeMs;
    const { recovery } = measurement;
    if (objective === null) return [finding('recovery-time', 'skipped', 'the scenario states no recovery time')];
    const limit = `the objective is ${seconds(objective)}`;
    switch (recovery.state) {
      case 'not-measured':
        return [finding('recovery-time', 'inconclusive', `not measured: ${recovery.reason}; ${limit}`)];
      case 'no-outage':
        return [finding('recovery-time', 'pass', `no outage was seen; ${limit}`)];
      case 'censored': {
        const told = `${recovery.vantage} was not back after ${seconds(recovery.lowerMs)}; ${limit}`;
        return [finding('recovery-time', recovery.lowerMs > objective ? 'fail' : 'inconclusive', told)];
      }
      case 'recovered': {
        const told = `${recovery.vantage} was back after ${seconds(recovery.lowerMs)} to ${seconds(recovery.upperMs)}; ${limit}`;
        const outcome = recovery.lowerMs > objective ? 'fail' : recovery.upperMs <= objective ? 'pass' : 'inconclusive';
        return [finding('recovery-time', outcome, told, [recovery.line])];
      }
    }
  },
};
