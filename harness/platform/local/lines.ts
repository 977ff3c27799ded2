const MAX_LINE_CHARS = 1024 * 1024;

/**
 * Cuts a stream of text into lines and hands each one over. Returns what to feed it with. A line longer than 1 MiB is handed over in pieces
 * (nothing of ours writes such lines; memory stays bounded).
 */
export function splitLines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length <= MAX_LINE_CHARS) return;
    onLine(rest);
    rest = '';
  };
}

/** The line as a JSON object, or undefined when it is none. */
export function jsonObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
