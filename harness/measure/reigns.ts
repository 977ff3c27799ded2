import type { Reign, Reigns, SplitBrain } from './measurement.ts';
import type { Operation, RunView } from './view.ts';

/**
 * Reigns as clients saw them, and the term in which each operation was acknowledged (by its line): a reign, or the part of it under one epoch. A
 * region that begins a new history where it was (a restart, a restore) rules on, but its log may have lost its end. Terms are in the order of time.
 */
export interface ReignView extends Reigns {
  readonly termOfLine: ReadonlyMap<number, number>;
}

/** Operations named as evidence of one kind of trouble; the count says how many there were. */
const EVIDENCE = 10;

/**
 * Who answered, by the region of the address that answered, in the order of acknowledgement. An operation that began after a later
 * reign's first acknowledgement and was acknowledged by an earlier region is split brain. It could be a return of that region
 * instead, so it opens a new reign only under an epoch that is higher than all before.
 */
export function measureReigns(view: RunView): ReignView {
  const builder = new ReignBuilder();
  const acknowledged = view.operations.filter((op) => op.outcome === 'ok' && op.region !== null);
  for (const op of acknowledged.toSorted((a, b) => a.completedMs - b.completedMs)) builder.add(op, op.region ?? '');
  const splitBrain = [...builder.violations(), ...sharedEpochs(acknowledged), ...passedEpochs(acknowledged)];
  return { reigns: builder.reigns, changes: Math.max(0, builder.reigns.length - 1), splitBrain, termOfLine: builder.termOfLine };
}

type OpenReign = { -readonly [K in keyof Reign]: Reign[K] };

class ReignBuilder {
  readonly reigns: OpenReign[] = [];
  readonly termOfLine = new Map<number, number>();
  /** Of each reign, the latest. */
  readonly #terms: number[] = [];
  #newestTerm = 0;
  readonly #late: { readonly op: Operation; readonly ruler: Reign }[] = [];

  add(op: Operation, region: string): void {
    const current = this.reigns.at(-1);
    if (current?.region === region) return this.#count(this.reigns.length - 1, op);
    const earlier = this.reigns.findLastIndex((reign) => reign.region === region);
    if (current !== undefined && earlier >= 0 && !returns(op, this.reigns)) {
      const successor = this.reigns[earlier + 1] ?? current;
      if (op.sentMs > successor.firstAckMs) this.#late.push({ op, ruler: successor });
      return this.#count(earlier, op);
    }
    const { line, completedMs } = op;
    this.reigns.push({ region, firstAckMs: completedMs, lastAckMs: completedMs, acknowledgements: 0, claimedEpoch: null, line });
    this.#count(this.reigns.length - 1, op);
  }

  violations(): readonly SplitBrain[] {
    return [...Map.groupBy(this.#late, ({ op, ruler }) => `${op.region} ${ruler.region}`).values()].map((group) => {
      const [first] = group;
      const lines = [first?.ruler.line ?? 0, ...group.slice(0, EVIDENCE).map(({ op }) => op.line)];
      const message = `${first?.op.region} acknowledged ${group.length} operation(s) that began after ${first?.ruler.region} had begun to acknowledge`;
      return { message, lines };
    });
  }

  #count(index: number, op: Operation): void {
    const reign = this.reigns[index];
    if (reign === undefined) return;
    const epochRose = op.claimedEpoch !== undefined && reign.claimedEpoch !== null && op.claimedEpoch > reign.claimedEpoch;
    if (this.#terms[index] === undefined || epochRose) this.#terms[index] = this.#newestTerm++;
    reign.lastAckMs = op.completedMs;
    reign.acknowledgements += 1;
    reign.claimedEpoch = Math.max(reign.claimedEpoch ?? Number.NEGATIVE_INFINITY, op.claimedEpoch ?? Number.NEGATIVE_INFINITY);
    if (reign.claimedEpoch === Number.NEGATIVE_INFINITY) reign.claimedEpoch = null;
    this.termOfLine.set(op.line, this.#terms[index] ?? 0);
  }
}

/** A region that ruled before rules again: under a new epoch, and for operations that began after the present ruler began. */
function returns(op: Operation, reigns: readonly Reign[]): boolean {
  if (op.claimedEpoch === undefined) return false;
  const epoch = op.claimedEpoch;
  return reigns.every((reign) => reign.claimedEpoch !== null && reign.claimedEpoch < epoch);
}

/** One epoch belongs to one region; two that claim it both believed to rule. */
function sharedEpochs(acknowledged: readonly Operation[]): readonly SplitBrain[] {
  const firstOf = new Map<number, Map<string, number>>();
  for (const { claimedEpoch, region, line } of acknowledged) {
    if (claimedEpoch === undefined || region === null) continue;
    const regions = firstOf.get(claimedEpoch) ?? new Map<string, number>();
    if (!regions.has(region)) regions.set(region, line);
    firstOf.set(claimedEpoch, regions);
  }
  return [...firstOf].flatMap(([epoch, regions]) =>
    regions.size < 2
      ? []
      : [{ message: `epoch ${epoch} was claimed by ${[...regions.keys()].join(' and ')}`, lines: [...regions.values()] }],
  );
}

/** Epochs only grow: under one that another had come after nothing is acknowledged any more that begins then. */
function passedEpochs(acknowledged: readonly Operation[]): readonly SplitBrain[] {
  const claimed = acknowledged.flatMap((op) => (op.claimedEpoch === undefined ? [] : [{ op, epoch: op.claimedEpoch }]));
  const done = claimed.toSorted((a, b) => a.op.completedMs - b.op.completedMs);
  let next = 0;
  let highest: (typeof done)[number] | undefined;
  const late = claimed
    .toSorted((a, b) => a.op.sentMs - b.op.sentMs)
    .flatMap(({ op, epoch }) => {
      for (; (done[next]?.op.completedMs ?? Infinity) < op.sentMs; next++)
        if (highest === undefined || (done[next]?.epoch ?? 0) > highest.epoch) highest = done[next];
      return highest !== undefined && epoch < highest.epoch ? [{ op, epoch, after: highest }] : [];
    });
  return [...Map.groupBy(late, ({ epoch, after }) => `${epoch} ${after.epoch}`).values()].map((group) => {
    const [first] = group;
    const lines = [first?.after.op.line ?? 0, ...group.slice(0, EVIDENCE).map(({ op }) => op.line)];
    const message = `${first?.op.region} acknowledged ${group.length} operation(s) under epoch ${first?.epoch} that began after ${first?.after.op.region} had begun to acknowledge under epoch ${first?.after.epoch}`;
    return { message, lines };
  });
}
