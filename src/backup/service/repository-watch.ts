import type { Clock } from '../../platform/clock.ts';
import { openRepository, signalOf, type Repository, type RepositoryAccess } from '../repository/repository.ts';

/** A new epoch key is seen after so long. */
const LOOK_MS = 5_000;

/** A repository for who keeps it open for long: it is opened anew when its keys are others, so that nothing goes on under an epoch that is over. */
export class RepositoryWatch {
  readonly #access: RepositoryAccess;
  readonly #clock: Clock;
  readonly #tell: (problem: string) => void;
  #open: { readonly repository: Repository; readonly keys: string } | null = null;
  #lookedAtMs = 0;

  /** @param tell what there is among the keys that opens nothing, whenever they are others */
  constructor(access: RepositoryAccess, clock: Clock, tell: (problem: string) => void) {
    this.#access = access;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The same object as before as long as nothing changed. */
  async current(signal: AbortSignal): Promise<Repository> {
    if (this.#open !== null && this.#clock.monotonicMs() - this.#lookedAtMs < LOOK_MS) return this.#open.repository;
    const atMs = this.#clock.monotonicMs();
    // Looked at before it is opened: a key that comes in between is seen the next time.
    const keys = await this.#keyNames(signal);
    if (this.#open?.keys !== keys) {
      this.#open = { repository: await openRepository(this.#access, signal), keys };
      this.#open.repository.problems.forEach(this.#tell);
    }
    this.#lookedAtMs = atMs;
    return this.#open.repository;
  }

  async #keyNames(signal: AbortSignal): Promise<string> {
    const names: string[] = [];
    for await (const { name, generation } of this.#access.store.list('keys/', signalOf(signal))) names.push(`${name} ${generation}`);
    return names.join('\n');
  }
}
