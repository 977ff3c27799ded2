import { z } from 'zod';
import { stepShape, writtenSteps, type WrittenStep } from './steps.ts';
import type { Step } from './scenario.ts';
import type { InputProblem, YamlDocument } from './yaml-decode.ts';

const loose = z.object({ method: z.array(z.unknown()).catch([]), backup: z.unknown().optional() });
const labShape = z
  .object({ service: z.unknown().optional(), storeSize: z.unknown().optional(), diskSize: z.unknown().optional() })
  .catch({});
/** Steps that need no store. */
const WITHOUT_STORE: readonly Step['do'][] = ['mark', 'delete-all', 'bulk'];
const ABOUT_BACKUPS: readonly Step['do'][] = ['backup', 'restore', 'await-backup', 'await-backups', 'damage'];

/** What a method says of backups that needs more than one field to be wrong: names that nothing has, orders that come too early. */
export function backupProblems(document: YamlDocument): readonly InputProblem[] {
  const parsed = loose.safeParse(document.value);
  const steps = writtenSteps(parsed.data?.method ?? []).flatMap((written): Named[] => {
    const step = stepShape.safeParse(written.raw).data;
    return step === undefined ? [] : [{ written, step }];
  });
  const problems: InputProblem[] = [];
  const tell = ({ path }: WrittenStep, field: string, message: string): void =>
    void problems.push(document.problem([...path, field], message));
  const first = steps.find(({ step }) => ABOUT_BACKUPS.includes(step.do) && !WITHOUT_STORE.includes(step.do));
  if (first !== undefined && (parsed.data?.backup === undefined || parsed.data.backup === null))
    tell(first.written, fieldOf(first.step), 'the scenario has no `backup`: say where backups go, at least `backup: {store: folder}`');
  problems.push(
    ...labProblems(steps, labShape.parse(parsed.data?.backup ?? {})).map(([one, message]) =>
      document.problem([...one.written.path, fieldOf(one.step)], message),
    ),
  );
  const known = {
    bulks: new Set<string>(),
    backups: new Set<string>(),
    waiting: new Set<string>(),
    restores: new Set<string>(),
    marks: new Set<string>(),
  };
  const faults = new Set(steps.flatMap(({ step }) => (step.do === 'inject' || step.do === 'arm' ? [step.fault] : [])));
  for (const { written, step } of steps) {
    for (const { field, name, among, what } of namesUsed(step, known))
      if (!among.has(name)) tell(written, field, `no ${what} \`${name}\` before this step; there is ${[...among].join(', ') || 'none'}`);
    if (step.do === 'backup' && step.background && step.name === null)
      tell(written, 'backup', 'a background backup needs a name (`as`) to be awaited by');
    if (step.do === 'backup' && step.during !== null && !faults.has(step.during))
      tell(written, 'during', `there is no fault \`${step.during}\``);
    if (step.do === 'restore' && step.live && step.region === null)
      tell(written, 'restore', '`live` needs `in`: the region whose database is filled');
    learn(step, known, (message) => tell(written, fieldOf(step), message));
    // In each round it would write what the one before it wrote, or restore into the same folder.
    if (isMore(written) && (step.do === 'bulk' || (step.do === 'restore' && !step.live)))
      learn(step, known, (message) => tell(written, fieldOf(step), message));
  }
  for (const name of known.waiting) {
    const found = steps.find(({ step }) => step.do === 'backup' && step.name === name);
    if (found !== undefined)
      tell(found.written, 'backup', `backup \`${name}\` goes on in the background and is never awaited (\`awaitBackup\`)`);
  }
  return problems;
}

const isMore = ({ rounds }: WrittenStep): boolean => rounds !== null && rounds > 1;

interface Named {
  readonly written: WrittenStep;
  readonly step: Step;
}

/** What a lab that is set up so cannot do. */
function labProblems(steps: readonly Named[], lab: z.infer<typeof labShape>): readonly (readonly [Named, string])[] {
  const goesOn = steps.some(({ step }) => step.do === 'backup' && step.background);
  return steps.flatMap((one): (readonly [Named, string])[] => {
    const { step } = one;
    // Without a file system of its own the store is on the machine's disk.
    if (step.do === 'damage' && (step.how === 'fill-store' || step.how === 'free-store') && lab.storeSize == null)
      return [
        [
          one,
          `\`${step.how}\` needs \`storeSize\` in \`backup\` (\`store: folder\`): a disk of the store's own, or this machine's would be filled`,
        ],
      ];
    if (step.do === 'damage' && (step.how === 'fill-disk' || step.how === 'free-disk') && lab.diskSize == null)
      return [[one, `\`${step.how}\` needs \`diskSize\` in \`backup\`: disks of the databases' own, or this machine's would be filled`]];
    if (step.do === 'damage' && step.how === 'put-back' && step.object !== 'manifests')
      return [[one, '`put-back` is for `manifests`: nobody keeps a copy of other objects']];
    if (step.do === 'await-backups' && lab.service == null && !goesOn)
      return [[one, '`backup` has no `service`, and none goes on in the background: nobody would make the backups that are awaited']];
    if (step.do === 'restore' && step.live && step.offlineKey)
      return [[one, '`offlineKey` is for a machine of its own; a `live` restore uses the keys of the database beside which it runs']];
    return [];
  });
}

interface Known {
  readonly bulks: Set<string>;
  readonly backups: Set<string>;
  readonly waiting: Set<string>;
  readonly restores: Set<string>;
  readonly marks: Set<string>;
}

const FIELDS: Partial<Record<Step['do'], string>> = {
  'await-backup': 'awaitBackup',
  'await-backups': 'awaitBackups',
  'delete-all': 'deleteAll',
};
const fieldOf = (step: Step): string => FIELDS[step.do] ?? step.do;

interface Use {
  readonly field: string;
  readonly name: string;
  readonly among: ReadonlySet<string>;
  readonly what: string;
}

function namesUsed(step: Step, known: Known): readonly Use[] {
  const backup = (field: string, name: string): Use => ({ field, name, among: known.backups, what: 'finished backup' });
  const mark = (field: string, name: string): Use => ({ field, name, among: known.marks, what: 'mark' });
  if (step.do === 'await-backup') return [{ field: 'awaitBackup', name: step.name, among: known.waiting, what: 'background backup' }];
  if (step.do === 'damage') return step.of === null ? [] : [backup('of', step.of)];
  if (step.do !== 'backup' && step.do !== 'restore') return [];
  const references = step.args.flatMap((word, index) =>
    word.startsWith('@') ? [step.args[index - 1] === '--to-time' ? mark(step.do, word.slice(1)) : backup(step.do, word.slice(1))] : [],
  );
  return step.do === 'restore' && step.since !== null ? [...references, mark('since', step.since)] : references;
}

function learn(step: Step, known: Known, wrong: (message: string) => void): void {
  const add = (names: Set<string>, name: string, what: string): void => {
    if (names.has(name)) wrong(`there is a ${what} \`${name}\` already; give this one its own name`);
    names.add(name);
  };
  if (step.do === 'mark') add(known.marks, step.name, 'mark');
  if (step.do === 'bulk') add(known.bulks, step.name, 'bulk load');
  if (step.do === 'restore') add(known.restores, step.name, 'restore');
  if (step.do === 'backup' && step.name !== null) add(step.background ? known.waiting : known.backups, step.name, 'backup');
  if (step.do === 'await-backup' && known.waiting.delete(step.name)) known.backups.add(step.name);
}
