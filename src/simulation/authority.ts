import { STEPS, type Journal, type Lease, type RecordName, type Records } from '../arbiter/arbiter.ts';
import type { PublishedRoute } from '../dns/dns.ts';
import { Violation } from './violation.ts';

/** A region that holds a valid lease by its own clock at this moment. */
export interface Holder {
  readonly region: string;
  readonly epoch: number;
}

/** Who may act: epochs, holders, the order of journal and deed, the name. Throws a Violation at what must not be. */
export class Authority {
  readonly #holderOf = new Map<number, string>();
  failovers = 0;
  readonly #runs = new Set<string>();
  /** `run epoch` that were in the journal before they were taken. */
  readonly #intents = new Set<string>();

  /** A record was changed in the arbiter. `holders`: who could acknowledge at this moment. */
  stored<K extends RecordName>(
    record: K,
    change: { readonly before: Records[K] | null; readonly after: Records[K] },
    holders: readonly Holder[],
  ): void {
    if (record === 'lease') this.#lease(change as { before: Lease | null; after: Lease }, holders);
    if (record === 'failover') this.#journal(change as { before: Journal | null; after: Journal }, holders);
  }

  /** No two can acknowledge at the same time. */
  atMostOne(holders: readonly Holder[]): void {
    if (holders.length < 2) return;
    throw new Violation(
      'one-serves',
      `${holders.map(({ region, epoch }) => `${region} holds epoch ${epoch}`).join(', ')} at the same time`,
    );
  }

  /** A controller's request is carried out by a database: it must be in the journal. */
  acts(verb: string, epoch: number, runId: string, journal: Journal | null): void {
    const needed = { '/v1/fence': 'FENCE_AND_SEAL', '/v1/seal': 'FENCE_AND_SEAL', '/v1/promote': 'PROMOTE' } as const;
    const step = needed[verb as keyof typeof needed];
    if (journal === null || journal.epoch < epoch || (journal.epoch === epoch && journal.runId === runId && !isReached(journal, step))) {
      throw new Violation(
        'journal-before-act',
        `${verb} of ${runId} in epoch ${epoch}, the journal says ${journal?.step ?? 'nothing'} of epoch ${journal?.epoch ?? 0}`,
      );
    }
  }

  routed(before: PublishedRoute | null, after: PublishedRoute): void {
    if (before !== null && after.epoch < before.epoch) {
      throw new Violation('names-go-forward', `the name went from epoch ${before.epoch} back to ${after.epoch}`);
    }
    const holder = this.#holderOf.get(after.epoch);
    if (holder !== after.region) {
      throw new Violation(
        'names-go-forward',
        `the name points to ${after.region} in epoch ${after.epoch}, which ${holder ?? 'nobody'} holds`,
      );
    }
  }

  #lease({ before, after }: { readonly before: Lease | null; readonly after: Lease }, holders: readonly Holder[]): void {
    const was = before?.epoch ?? 0;
    const isNew = after.epoch !== was;
    if (isNew && after.epoch !== was + 1) throw new Violation('epochs-grow-by-one', `from ${was} to ${after.epoch}`);
    if (after.holder === null) {
      // It may have been given up since, while the request was on its way.
      if (!this.#intents.has(`${after.incarnation} ${after.epoch}`))
        throw new Violation('journal-before-act', `epoch ${after.epoch} was taken without a word in the journal`);
      return;
    }
    if (!isNew && before?.holder === after.holder && before.incarnation === after.incarnation) return;
    if (!isNew && before?.holder != null)
      throw new Violation('one-region-per-epoch', `${after.holder} took epoch ${after.epoch} from ${before.holder}`);
    const other = holders.find(({ region }) => region !== after.holder);
    if (other !== undefined) {
      throw new Violation(
        'fenced-before-promoted',
        `${after.holder} took epoch ${after.epoch} while ${other.region} still serves epoch ${other.epoch}`,
      );
    }
    this.#holderOf.set(after.epoch, after.holder);
  }

  #journal({ before, after }: { readonly before: Journal | null; readonly after: Journal }, holders: readonly Holder[]): void {
    const { runId, step, epoch, fencedBy } = after;
    const known = before?.runId === runId && before.epoch === epoch ? before.fencedBy : null;
    const serving = holders.find((holder) => holder.epoch < epoch);
    if (fencedBy !== null && known === null && serving !== undefined)
      throw new Violation(
        'a-fence-is-certain',
        `${runId} wrote that ${after.from} is fenced (${fencedBy}) while ${serving.region} serves epoch ${serving.epoch}`,
      );
    if (step === 'ACQUIRE') this.#intents.add(`${runId} ${epoch}`);
    if (step !== 'DONE' || this.#runs.has(runId)) return;
    this.#runs.add(runId);
    this.failovers++;
  }
}

function isReached(journal: Journal, step: Journal['step']): boolean {
  return journal.step !== 'ABORTED' && STEPS.indexOf(journal.step) >= STEPS.indexOf(step);
}
