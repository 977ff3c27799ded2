import { eventsOf, type Lined } from '../measure/view.ts';
import type { Step } from '../scenario/scenario.ts';
import { crashed } from './crashed.ts';
import { finding, seconds, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'backup-orders';

/** `bad-config: …`: how the engine begins what it refuses. A program that crashed, or that never ran, ends with the same codes. */
const REFUSAL = /^[a-z]+(?:-[a-z]+)+: /m;

type OrderStep = Extract<Step, { readonly do: 'backup' | 'restore' }>;
type Order = Lined<'backup-order'>;

/** Backups, verifications and restores ended as the scenario expects; where an object was damaged, who refuses it names it. */
export const backupOrders: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did every backup, verification and restore end as expected, naming what was damaged?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'backup' || step.do === 'restore');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario orders no backup')];
    // The repository is made first, and nobody asks for that in a method.
    const given = eventsOf(view.events, 'backup-order').filter(({ args }) => args[0] !== 'init');
    const damaged = eventsOf(view.events, 'damage');
    const free = [...given];
    return asked.map((step) => {
      const at = free.findIndex((order) => isOf(order, step));
      const [order] = at < 0 ? [] : free.splice(at, 1);
      if (order === undefined) return finding(NAME, 'inconclusive', `${whatOf(step)} was never ordered`);
      return judgeOrder(
        step,
        order,
        damaged.findLast(({ atMs, object }) => object !== null && atMs <= order.givenMs),
      );
    });
  },
};

/** A name is given once; orders without one are told apart by their words, in the order of the method. What `@NAME` stands for is not known here. */
function isOf(order: Order, step: OrderStep): boolean {
  const words = step.do === 'restore' ? ['restore', ...step.args] : step.args;
  return order.name === step.name && words.every((word, index) => word.startsWith('@') || order.args[index] === word);
}

const whatOf = (step: OrderStep): string => `coditect-dr backup ${step.do === 'restore' ? 'restore ' : ''}${step.args.join(' ')}`;

function judgeOrder(step: OrderStep, order: Order, damage: Lined<'damage'> | undefined): Finding {
  const what = `${whatOf(step)}${step.name === null ? '' : ` (${step.name})`}`;
  const lines = [order.lineNumber];
  if (order.exitCode === null) return finding(NAME, 'fail', `${what} did not end within ${seconds(step.atMostMs)}`, lines);
  const ended = `${what} ended with ${order.exitCode} after ${seconds(order.endedMs - order.givenMs)}`;
  const said = lastLine(order.said);
  if (order.exitCode !== step.exits) return finding(NAME, 'fail', `${ended}; expected ${step.exits}${said}`, lines);
  const says = step.do === 'backup' ? (step.says ?? null) : null;
  if (says !== null && !outputOf(order).includes(says)) return finding(NAME, 'fail', `${ended}, but did not say \`${says}\`${said}`, lines);
  const told = says === null ? ended : `${ended}, and said \`${says}\``;
  const reason = says !== null || order.answer !== null || REFUSAL.test(order.said);
  if (step.exits !== 0 && (crashed(order.said) || !reason))
    return finding(NAME, 'inconclusive', `${told}, as expected, but without an error of its own: a crash ends so too${said}`, lines);
  if (!step.namesDamage) return finding(NAME, 'pass', told, lines);
  if (damage?.object == null) return finding(NAME, 'inconclusive', `${told}, but no object was damaged before it`, lines);
  const named = damage.done.find(({ what: object }) => isNamed(order, object))?.what;
  return named !== undefined
    ? finding(NAME, 'pass', `${told}, and named ${named}`, [damage.lineNumber, ...lines])
    : finding(NAME, 'fail', `${told}, but did not name ${damage.object}, which was damaged${said}`, [damage.lineNumber, ...lines]);
}

/** By its name, or by the last part of it, which is its id; one that was typed in the order says nothing when it comes back. */
function isNamed(order: Order, object: string): boolean {
  const { args } = order;
  const output = outputOf(order);
  const id = object.slice(object.lastIndexOf('/') + 1);
  return output.includes(object) || (!args.includes(id) && output.includes(id));
}

function outputOf({ said, answer }: Order): string {
  return `${said}\n${JSON.stringify(answer ?? {})}`;
}

function lastLine(said: string): string {
  const line = said.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : ` (${line.slice(0, 300)})`;
}
