import { effectiveByMs } from '../measure/effective.ts';
import { registerOwner } from '../measure/registers.ts';
import type { Operation } from '../measure/view.ts';
import { EVIDENCE_SHOWN, finding, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'session-guarantees';

/**
 * What one client may rely on whichever region serves it: it reads what it wrote (read your writes), and never less than it has read before
 * (monotonic reads). A write that was allowed to be lost, and was, is exempt; nothing else is.
 */
export const sessionGuarantees: Check = {
  name: NAME,
  kind: 'safety',
  question: 'Did every client read its own writes, and never older values than it had read before?',
  judge: ({ view, scenario, measurement }) => {
    const { readBackRegion } = measurement.writes;
    if (scenario.expect.loss === 'allowed' && readBackRegion === null)
      return [finding(NAME, 'inconclusive', 'no copy could be read, so it is not known which writes were lost, as some may be')];
    const exempt = new Set(scenario.expect.loss === 'allowed' ? measurement.writes.lost.map((write) => write.line) : []);
    const registers = view.operations.filter((op) => registerOwner(op.key) !== null && op.outcome !== 'failed');
    const effective = effectiveByMs(view.operations);
    const sessions = Map.groupBy(registers, (op) => `${op.vantage} ${op.key}`);
    const puts = Map.groupBy(
      registers.filter((op) => op.op === 'put'),
      (op) => op.key,
    );
    let reads = 0;
    const broken = [...sessions.values()].flatMap((session) => {
      const ofKey = (puts.get(session[0]?.key ?? '') ?? []).filter((put) => !exempt.has(put.line));
      const own = session.filter((op) => op.op === 'get' && op.outcome === 'ok');
      reads += own.length;
      return own.flatMap((read) => [...yourWrites(read, session, { ofKey, effective }), ...monotonic(read, own, { ofKey, effective })]);
    });
    if (reads === 0) return [finding(NAME, 'inconclusive', 'no read succeeded')];
    return broken.length > 0
      ? tell(broken)
      : [finding(NAME, 'pass', `none of ${reads} reads went back behind its client's own writes and reads`)];
  },
};

interface Writes {
  /** Of the register. */
  readonly ofKey: readonly Operation[];
  readonly effective: (put: Operation) => number;
}

interface Broken {
  readonly guarantee: 'read your writes' | 'monotonic reads';
  readonly read: Operation;
  readonly before: Operation;
}

/** Whether `newer` was certainly written after what the read returned. */
function isBehind(read: Operation, newer: Operation, { ofKey, effective }: Writes): boolean {
  if (read.value === newer.value) return false;
  if (read.value === null) return true;
  const returned = ofKey.find((put) => put.value === read.value);
  return returned !== undefined && effective(returned) < newer.intendedMs;
}

function yourWrites(read: Operation, session: readonly Operation[], writes: Writes): readonly Broken[] {
  const mine = session.filter(
    (op) => op.op === 'put' && op.outcome === 'ok' && op.completedMs < read.intendedMs && writes.ofKey.includes(op),
  );
  const before = mine.findLast((put) => isBehind(read, put, writes));
  return before === undefined ? [] : [{ guarantee: 'read your writes', read, before }];
}

function monotonic(read: Operation, own: readonly Operation[], writes: Writes): readonly Broken[] {
  const earlier = own.filter((one) => one.completedMs < read.intendedMs && one.value !== null);
  const before = earlier.findLast((one) => {
    const seen = writes.ofKey.find((put) => put.value === one.value);
    return seen !== undefined && isBehind(read, seen, writes);
  });
  return before === undefined ? [] : [{ guarantee: 'monotonic reads', read, before }];
}

function tell(broken: readonly Broken[]): readonly Finding[] {
  return [...Map.groupBy(broken, (one) => one.guarantee)].map(([guarantee, group]) => {
    const [first] = group;
    const what = `${first?.read.vantage} read ${first?.read.key} as ${first?.read.value ?? 'nothing'} after ${first?.before.value}`;
    const lines = group.slice(0, EVIDENCE_SHOWN).flatMap(({ read, before }) => [read.line, before.line]);
    return finding(NAME, 'fail', `${guarantee}: broken ${group.length} time(s): ${what}`, lines);
  });
}
