import { registerOwner } from '../measure/registers.ts';
import { eventsOf, type Lined, type RunView } from '../measure/view.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'deletion-done';
/** Of what a client had written before. It leaves its youngest keys alone (workload/plan.ts), and keeps its registers. */
const SHARE = 0.9;
const YOUNGEST = 20;

/** A mass delete that did not happen leaves nothing to be made good: what was restored would be what is there anyway. */
export const deletionDone: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Was really deleted what the clients were asked to delete?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'delete-all');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'nobody is asked to delete everything')];
    const deletions = eventsOf(view.events, 'deletion');
    return asked.flatMap((_, index) => {
      const deletion = deletions[index];
      if (deletion === undefined) return [finding(NAME, 'inconclusive', 'nobody was asked to delete anything')];
      return view.started.vantages.map((vantage) => judgeVantage(view, vantage, deletion));
    });
  },
};

function judgeVantage(view: RunView, vantage: string, { startedMs, endedMs, lineNumber }: Lined<'deletion'>) {
  const acknowledged = (view.byVantage.get(vantage) ?? []).filter(({ outcome, key }) => outcome === 'ok' && registerOwner(key) === null);
  const deletedMs = new Map(acknowledged.flatMap(({ op, key, completedMs }) => (op === 'delete' ? [[key, completedMs] as const] : [])));
  const left = acknowledged.filter(
    ({ op, key, completedMs }) => op === 'put' && completedMs < startedMs && !((deletedMs.get(key) ?? Infinity) < startedMs),
  );
  const due = left.slice(0, -YOUNGEST);
  const gone = due.filter(({ key }) => (deletedMs.get(key) ?? Infinity) <= endedMs).length;
  const told = `${vantage} deleted ${gone} of ${due.length} keys between ${seconds(startedMs)} and ${seconds(endedMs)}`;
  const done = due.length > 0 && gone >= SHARE * due.length;
  return finding(NAME, done ? 'pass' : 'inconclusive', done ? told : `${told}: nothing was to be made good`, [lineNumber]);
}
