/** Of one container; what is older is forgotten, and a follower that reads from the beginning is told how much. */
const MOST_LINES = 50_000;

/** The log of one container, from its start: kept in memory, so that whoever follows it later gets all of it. */
export class ContainerLog {
  #lines: string[] = [];
  #rest = '';
  #ended = false;
  readonly #followers = new Set<Follower>();

  /** Text as it comes; lines are handed on when they are whole. */
  write(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) this.#add(line);
  }

  /** The container is gone: followers end. */
  end(): void {
    if (this.#rest !== '') this.#add(this.#rest);
    this.#ended = true;
    for (const { onEnd } of this.#followers) onEnd();
    this.#followers.clear();
  }

  /** Everything from the start, then what comes, until the end if `follow`. Returns how to stop. */
  read(follower: Follower, follow: boolean): () => void {
    for (const line of this.#lines) follower.onLine(line);
    if (!follow || this.#ended) follower.onEnd();
    else this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  #add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines = this.#lines.slice(MOST_LINES / 2);
    for (const { onLine } of this.#followers) onLine(line);
  }
}

interface Follower {
  readonly onLine: (line: string) => void;
  readonly onEnd: () => void;
}
