/** What a long piece of work tells of itself. */
export interface Progress {
  readonly phase: string;
  readonly doneBytes: number;
  /** 0 while it is not known. */
  readonly totalBytes: number;
}

const LINE_EVERY_MS = 5_000;
const BAR_CHARS = 24;

/** Shows progress: one line that is rewritten on a terminal, else a line every few seconds and at each new phase. `end` finishes the line. */
export function progressPrinter(
  out: (text: string) => void,
  isTerminal: boolean,
  nowMs: () => number,
): { readonly show: (progress: Progress) => void; readonly end: () => void } {
  const startMs = nowMs();
  let phase = '';
  let toldMs = Number.NEGATIVE_INFINITY;
  let wrote = false;
  return {
    show: (progress) => {
      const now = nowMs();
      const text = progressText(progress, now - startMs, isTerminal);
      if (isTerminal) {
        out(`\r\u001b[K${text}`);
        wrote = true;
      } else if (progress.phase !== phase || now - toldMs >= LINE_EVERY_MS) {
        out(`${text}\n`);
        toldMs = now;
      }
      phase = progress.phase;
    },
    end: () => {
      if (wrote) out('\n');
    },
  };
}

/** Bar (on a terminal), share, rate, and the time that is left at this rate. */
export function progressText({ phase, doneBytes, totalBytes }: Progress, elapsedMs: number, bar: boolean): string {
  if (totalBytes <= 0) return `${phase} …`;
  const share = Math.min(1, doneBytes / totalBytes);
  const perMs = doneBytes / Math.max(1, elapsedMs);
  const leftMs = perMs > 0 ? Math.max(0, totalBytes - doneBytes) / perMs : null;
  const filled = Math.round(share * BAR_CHARS);
  return [
    phase,
    ...(bar ? [`[${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}]`] : []),
    `${Math.floor(share * 100)} %`,
    `${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`,
    `${(perMs / 1000).toFixed(1)} MB/s`,
    ...(leftMs === null || share === 1 ? [] : [`${duration(leftMs)} left`]),
  ].join('  ');
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
