import { eventsOf } from '../measure/view.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'backups-awaited';

/** Where the method waits for backups of the service, they came, as the store's disk shows. */
export const backupsAwaited: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did the service make the backups that the method waited for?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'await-backups');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the method waits for no backup')];
    const waits = eventsOf(view.events, 'store').flatMap(({ awaited, lineNumber }) =>
      awaited === undefined ? [] : [{ ...awaited, lineNumber }],
    );
    return asked.map(({ more, atMostMs }, index) => {
      const wait = waits[index];
      if (wait === undefined || wait.more !== more)
        return finding(NAME, 'inconclusive', 'nobody waited for backups that were to be awaited');
      const told = `${wait.came} of ${more} backups came within ${seconds(atMostMs)}`;
      return finding(NAME, wait.came >= more ? 'pass' : 'fail', told, [wait.lineNumber]);
    });
  },
};
