import { eventsOf, type Lined, type RunView } from '../measure/view.ts';
import type { LabDatabase } from '../scenario/scenario.ts';
import { finding, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'damage-done';

/** Damage that changed nothing proves nothing: each was seen in what was there before and after. */
export const damageDone: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Was everything that was to be damaged really damaged?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'damage');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario damages nothing')];
    const done = eventsOf(view.events, 'damage');
    return asked.map((step, index) => {
      const event = done[index];
      if (event === undefined || event.how !== step.how) return finding(NAME, 'inconclusive', `${step.how} was never done`);
      const spared = sparedBy(view, event, erasedPods(event.how, scenario.database));
      return spared.length > 0
        ? finding(NAME, 'inconclusive', `${event.how} spared ${spared.join(', ')}`, [event.lineNumber])
        : judgeDamage(event);
    });
  },
};

/** How the names of the pods begin whose disks are all to be erased; undefined: none are. */
function erasedPods(how: string, database: LabDatabase | undefined): string | undefined {
  if (how === 'erase-arbiter') return 'etcd-';
  if (how !== 'erase-databases') return undefined;
  return database === 'foundationdb' ? 'fdb-' : 'db-';
}

/** Where every disk of a kind is to be erased, one that is left has everything. */
function sparedBy(view: RunView, { done }: Lined<'damage'>, prefix: string | undefined): readonly string[] {
  if (prefix === undefined) return [];
  const pods = new Set(eventsOf(view.events, 'pod').flatMap(({ pod }) => (pod.startsWith(prefix) ? [pod] : [])));
  return [...pods].filter((pod) => !done.some(({ what }) => what === pod));
}

function judgeDamage({ how, object, done, lineNumber }: Lined<'damage'>): Finding {
  const told = done.map(({ what, before, after }) => `${what}: ${before} → ${after}`).join('; ');
  const say = (took: boolean, why: string): Finding =>
    finding(
      NAME,
      took ? 'pass' : 'inconclusive',
      took ? `${how}${object === null ? '' : ` ${object}`}: ${told}` : `${how} ${why}: ${told}`,
      [lineNumber],
    );
  if (done.length === 0) return say(false, 'found nothing to damage');
  if (how === 'fill-store' || how === 'fill-disk')
    return say(
      done.every(({ after }) => after === '0 bytes free'),
      'left room',
    );
  if (how === 'free-store' || how === 'free-disk')
    return say(
      done.every(({ after }) => after !== '0 bytes free'),
      'gave nothing back',
    );
  if (how.startsWith('erase-'))
    return say(
      done.every(({ before, after }) => after === '0 files' && !before.startsWith('0 files')),
      'did not empty disks that held something',
    );
  return say(
    done.every(({ before, after }) => before !== after),
    'changed nothing',
  );
}
