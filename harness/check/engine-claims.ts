import { eventsOf, type Operation } from '../measure/view.ts';
import { EVIDENCE_SHOWN, finding, seconds, type Case, type Check } from './check.ts';
import { lossOfMoveMs } from './loss-of-move.ts';
import type { Finding } from './verdict.ts';

const NAME = 'engine-claims';

/** What comes after a promotion takes a few seconds; on a machine that does other things as well some more. */
const COMPLETES_WITHIN_MS = 30_000;

/** What a status says was so when it was asked for: so long before it was recorded at most (engine/observe.ts). */
const ANSWERED_WITHIN_MS = 3000;

/**
 * What the engine says of itself, held against what was measured. Never used to judge the system: an engine that contradicts what
 * was seen makes its own log unfit as evidence, so the run is inconclusive.
 */
export const engineClaims: Check = {
  name: NAME,
  kind: 'target',
  needsEngine: true,
  question: 'Does what the engine says of itself agree with what was measured?',
  judge: (of) => {
    const findings = [
      ...regionClaims(of),
      ...promotionClaims(of),
      ...writableClaims(of),
      ...failoverClaims(of),
      ...divergenceClaims(of),
      ...lossClaims(of),
    ];
    return findings.length > 0 ? findings : [finding(NAME, 'pass', 'what the engine says agrees with what was measured')];
  },
};

function contradicted(message: string, lines: readonly number[]): readonly Finding[] {
  return [finding(NAME, 'inconclusive', message, lines)];
}

/** The region that an answer names must be that of the address which gave it. */
function regionClaims({ view }: Case): readonly Finding[] {
  const wrong = view.operations.filter((op) => op.claimedRegion !== undefined && op.region !== null && op.claimedRegion !== op.region);
  const [first] = wrong;
  if (first === undefined) return [];
  const message = `${wrong.length} answer(s) from ${first.region} claimed to come from ${first.claimedRegion}`;
  return contradicted(
    message,
    wrong.slice(0, EVIDENCE_SHOWN).map((op) => op.line),
  );
}

/**
 * Where completed failovers in the log ended, against changes of the serving region. A failover that began anew may end where it had begun:
 * whoever was promoted in between never served, and clients saw no change. One that had promoted when the record ended, but was not complete
 * yet (it stabilises and takes regions back for long on a slow machine), may have moved the service already, or not; one that promoted long before has hung.
 */
function failoverClaims({ view, measurement }: Case): readonly Finding[] {
  const logged = eventsOf(view.events, 'engine-log').filter((event) => event.action === 'failover_complete');
  const runs = [...Map.groupBy(logged, (event) => correlationOf(event.line) ?? `line ${event.lineNumber}`).values()];
  const { changes, reigns } = measurement.reigns;
  const way = [reigns[0]?.region, ...runs.map((lines, index) => detailOf(lines[0]?.line, 'to') ?? `run ${index}`)];
  const underWay = promotedOnly(view.events);
  if (movesOf(way) === changes || (underWay !== undefined && movesOf([...way, underWay]) === changes)) return [];
  const message = `the log tells of ${runs.length} completed failover(s), which moved the service ${movesOf(way)} time(s); clients saw ${changes} change(s) of the serving region`;
  return contradicted(
    message,
    logged.map((event) => event.lineNumber),
  );
}

function movesOf(way: readonly (string | undefined)[]): number {
  return way.filter((region, index) => index > 0 && region !== way[index - 1]).length;
}

/** The region that the last failover of the log promoted, when nothing of that failover says that it ended. */
function promotedOnly(events: Case['view']['events']): string | undefined {
  const endMs = eventsOf(events, 'phase').findLast(({ phase }) => phase === 'readback')?.atMs ?? events.at(-1)?.atMs ?? 0;
  const lines = eventsOf(events, 'engine-log');
  const run = correlationOf(lines.findLast(({ action }) => action === 'failover_initiated')?.line);
  if (run === undefined) return undefined;
  const own = lines.filter(({ line }) => correlationOf(line) === run);
  if (own.some(({ action }) => /^failover_(complete|aborted|undone)$/.test(action))) return undefined;
  const promoted = own.findLast(({ action, line }) => action === 'promoted' && detailOf(line, 'region') !== undefined);
  return promoted !== undefined && promoted.atMs > endMs - COMPLETES_WITHIN_MS ? detailOf(promoted.line, 'region') : undefined;
}

/** Whom a controller says that it promoted under an epoch must be who answered under it. */
function promotionClaims({ view }: Case): readonly Finding[] {
  const answered = new Map<number, Operation>();
  for (const op of view.operations)
    if (op.outcome === 'ok' && op.region !== null && op.claimedEpoch !== undefined && !answered.has(op.claimedEpoch))
      answered.set(op.claimedEpoch, op);
  const promoted = eventsOf(view.events, 'engine-log').flatMap(({ action, line, lineNumber }) => {
    const [region, epoch] = [detailOf(line, 'region'), numberOf(line, 'epoch')];
    return action !== 'promoted' || region === undefined || epoch === undefined ? [] : [{ region, epoch, lineNumber }];
  });
  // Where one fails another may take its place.
  return [...Map.groupBy(promoted, ({ epoch }) => epoch)].flatMap(([epoch, all]) => {
    const op = answered.get(epoch);
    if (op === undefined || all.some(({ region }) => region === op.region)) return [];
    const regions = [...new Set(all.map(({ region }) => region))].join(', ');
    const message = `the log tells that ${regions} was promoted under epoch ${epoch}, and clients had answers under it from ${op.region}`;
    return contradicted(message, [...all.map(({ lineNumber }) => lineNumber), op.line]);
  });
}

/** Two databases that both say that they take writes, the one under an older epoch after the other: nobody may have been there to be acknowledged by both. */
function writableClaims({ view }: Case): readonly Finding[] {
  const said = eventsOf(view.events, 'engine-status').flatMap(({ program, region, ok, body, atMs, lineNumber }) => {
    const { role, writable, epoch } = (body ?? {}) as { readonly role?: unknown; readonly writable?: unknown; readonly epoch?: unknown };
    const isSaid = program === 'db' && ok && role === 'primary' && writable === true && typeof epoch === 'number';
    return isSaid ? [{ region, epoch, atMs, lineNumber }] : [];
  });
  const firsts = [...Map.groupBy(said, ({ region, epoch }) => `${region} ${epoch}`).values()].flatMap(([one]) => one ?? []);
  const both = said.flatMap((old) => {
    const newer = firsts.find(
      ({ region, epoch, atMs }) => region !== old.region && epoch > old.epoch && atMs < old.atMs - ANSWERED_WITHIN_MS,
    );
    return newer === undefined ? [] : [{ old, newer }];
  });
  const [first] = both;
  if (first === undefined) return [];
  const message = `${first.old.region} said ${both.length} time(s) that it takes writes under epoch ${first.old.epoch}, when ${first.newer.region} did so under epoch ${first.newer.epoch}`;
  const lines = both.slice(0, EVIDENCE_SHOWN).flatMap(({ old, newer }) => [newer.lineNumber, old.lineNumber]);
  return contradicted(message, lines);
}

/** So much may be lost at most, the engine says where it asks people whether it may: what was acknowledged after that comes on top of it. */
function lossClaims(of: Case): readonly Finding[] {
  const { view, scenario, measurement } = of;
  const lostMs = lossOfMoveMs(of);
  const last = measurement.writes.lost.at(-1);
  if (lostMs === null || last === undefined) return [];
  const told = eventsOf(view.events, 'engine-log').flatMap(({ action, line, atMs, lineNumber }) => {
    const estimated = numberOf(line, 'estimatedLossSeconds');
    return action !== 'awaiting_approval' || estimated === undefined ? [] : [{ ms: estimated * 1000, atMs, lineNumber }];
  });
  const limitsMs = told.map(({ ms, atMs }) => ms + Math.max(0, last.completedMs - atMs) + scenario.workload.timeoutMs);
  if (limitsMs.length === 0 || lostMs <= Math.max(...limitsMs)) return [];
  const message = `the log tells that up to ${seconds(Math.max(...told.map(({ ms }) => ms)))} of writes may be lost, and ${seconds(lostMs)} were`;
  return contradicted(
    message,
    told.map(({ lineNumber }) => lineNumber),
  );
}

function detailsOf(line: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  return (line?.['details'] ?? {}) as Readonly<Record<string, unknown>>;
}

/** A word, or a number, among the details of a line, where it has one. */
function detailOf(line: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const value = detailsOf(line)[name];
  return typeof value === 'string' ? value : undefined;
}
function numberOf(line: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = detailsOf(line)[name];
  return typeof value === 'number' ? value : undefined;
}

/** Everything lost must be in a divergent tail: what is rolled back never disappears silently. Nobody can keep what was on disks that were erased. */
function divergenceClaims({ view, scenario, measurement }: Case): readonly Finding[] {
  // Nor does an engine on a pair claim to: what was lost is in the cluster that was left behind (does-not-prove.ts says so).
  if (scenario.foundationdb === 'pair') return [];
  const erased = eventsOf(view.events, 'damage').findLast(({ how }) => how === 'erase-databases');
  const unsaved = measurement.writes.unsaved.filter(({ completedMs }) => erased === undefined || completedMs > erased.atMs);
  const [first] = unsaved;
  if (first === undefined) return [];
  const message = `${unsaved.length} lost write(s) are in no divergent tail that a region exported: ${first.op} ${first.key}`;
  return contradicted(
    message,
    unsaved.slice(0, EVIDENCE_SHOWN).map((write) => write.line),
  );
}

function correlationOf(line: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return typeof line?.['correlation_id'] === 'string' ? line['correlation_id'] : undefined;
}
