import { arrivedIn } from '../measure/store.ts';
import { eventsOf, type Lined, type RunView } from '../measure/view.ts';
import type { BackupStep } from '../scenario/scenario.ts';
import { finding, seconds, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'backups-awaited';

type Step = Extract<BackupStep, { readonly do: 'await-backups' }>;

/** Where the method waits for backups of the service, they came, and were verified or pruned: by what lay in the store, and by who reads it on another machine. */
export const backupsAwaited: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did the service make the backups that the method waited for?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'await-backups');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the method waits for no backup')];
    const waits = waitsOf(view);
    return asked.map((step, index) => judgeWait(step, waits[index]));
  },
};

/** Of each wait all looks at the store, from the one with which it began. What was looked at for another reason begins none. */
function waitsOf(view: RunView): readonly (readonly Lined<'store'>[])[] {
  const waits: Lined<'store'>[][] = [];
  let looks: Lined<'store'>[] = [];
  for (const look of eventsOf(view.events, 'store')) {
    if (look.alone === true) continue;
    looks.push(look);
    if (look.awaited === undefined) continue;
    waits.push(looks);
    looks = [];
  }
  return waits;
}

function judgeWait({ more, verified = 0, damaged = 0, gone = 0, atMostMs }: Step, wait: readonly Lined<'store'>[] | undefined): Finding {
  const last = wait?.at(-1);
  if (wait === undefined || last?.awaited?.more !== more)
    return finding(NAME, 'inconclusive', 'nobody waited for backups that were to be awaited');
  const lines = [last.lineNumber];
  if (wait.length < 2) return finding(NAME, 'inconclusive', 'nobody looked at the store before', lines);
  const arrived = arrivedIn(wait);
  if (more > 0 && !arrived.listed)
    return finding(NAME, 'inconclusive', 'nobody read the backups on another machine than that of the service', lines);
  const counts: readonly (readonly [string, number, number])[] = [
    ['backups came', arrived.trusted, more],
    ['were found sound', arrived.verified, verified],
    ['were found damaged', arrived.damaged, damaged],
    ['were deleted', arrived.gone, gone],
  ];
  const told = counts.flatMap(([what, is, asked]) => (asked === 0 ? [] : [`${is} of ${asked} ${what}`])).join(', ');
  const spoilt = arrived.distrusted.length === 0 ? '' : `; not to be trusted: ${arrived.distrusted.join('; ')}`;
  const met = counts.every(([, is, asked]) => is >= asked);
  return finding(NAME, met ? 'pass' : 'fail', `${told} within ${seconds(atMostMs)}${spoilt}`, lines);
}
