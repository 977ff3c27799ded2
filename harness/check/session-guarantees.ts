import { ByTime, firstBy } from '../measure/by-time.ts';
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
    const writes = new Map(
      [...puts].map(([key, all]) => [
        key,
        writesOf(
          all.filter((put) => !exempt.has(put.line)),
          effective,
        ),
      ]),
    );
    let reads = 0;
    const broken = [...sessions.values()].flatMap((session) => {
      const ofKey = writes.get(session[0]?.key ?? '') ?? writesOf([], effective);
      const own = session.filter((op) => op.op === 'get' && op.outcome === 'ok');
      const written = session.filter((op) => op.op === 'put' && op.outcome === 'ok' && !exempt.has(op.line));
      const before = {
        written: new ByTime(written, ({ sentMs, completedMs }) => ({ beganMs: sentMs, doneMs: completedMs })),
        seen: new ByTime(seenBy(own, ofKey), ({ read, put }) => ({ beganMs: put.sentMs, doneMs: read.completedMs })),
      };
      reads += own.length;
      return own.flatMap((read) => [...yourWrites(read, before.written, ofKey), ...monotonic(read, before.seen, ofKey)]);
    });
    if (reads === 0) return [finding(NAME, 'inconclusive', 'no read succeeded')];
    return broken.length > 0
      ? tell(broken)
      : [finding(NAME, 'pass', `none of ${reads} reads went back behind its client's own writes and reads`)];
  },
};

/** Of one register; those that were allowed to be lost left out. */
interface Writes {
  readonly byValue: ReadonlyMap<string | null, Operation>;
  readonly effective: (put: Operation) => number;
}

function writesOf(puts: readonly Operation[], effective: Writes['effective']): Writes {
  return { byValue: firstBy(puts, (put) => put.value), effective };
}

/** A read, and the write whose value it returned. */
interface Seen {
  readonly read: Operation;
  readonly put: Operation;
}

function seenBy(reads: readonly Operation[], { byValue }: Writes): readonly Seen[] {
  return reads.flatMap((read) => {
    const put = read.value === null ? undefined : byValue.get(read.value);
    return put === undefined ? [] : [{ read, put }];
  });
}

interface Broken {
  readonly guarantee: 'read your writes' | 'monotonic reads';
  readonly read: Operation;
  readonly before: Operation;
}

/** What is begun after this instant was certainly written after what the read returned; null: that is not known. */
function certainlyAfterMs(read: Operation, { byValue, effective }: Writes): number | null {
  if (read.value === null) return Number.NEGATIVE_INFINITY;
  const returned = byValue.get(read.value);
  return returned === undefined ? null : effective(returned);
}

function yourWrites(read: Operation, written: ByTime<Operation>, writes: Writes): readonly Broken[] {
  const sinceMs = certainlyAfterMs(read, writes);
  if (sinceMs === null) return [];
  const newer = written.between(sinceMs, read.sentMs).filter((put) => put.value !== read.value && put.sentMs > sinceMs);
  const before = newer.toSorted((a, b) => a.line - b.line).at(-1);
  return before === undefined ? [] : [{ guarantee: 'read your writes', read, before }];
}

function monotonic(read: Operation, seen: ByTime<Seen>, writes: Writes): readonly Broken[] {
  const sinceMs = certainlyAfterMs(read, writes);
  if (sinceMs === null) return [];
  const newer = seen.between(sinceMs, read.sentMs).filter(({ put }) => put.value !== read.value && put.sentMs > sinceMs);
  const before = newer.toSorted((a, b) => a.read.line - b.read.line).at(-1)?.read;
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
