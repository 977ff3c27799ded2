const MAX_LINE_CHARS = 1024 * 1024;

/**
 * Cuts a stream of text into lines and hands each one over. Returns what to feed it with. A line longer than `maxChars` is handed over in
 * pieces, so that memory stays bounded.
 */
export function splitLines(onLine: (line: string) => void, maxChars = MAX_LINE_CHARS): (text: string) => void {
  let parts: string[] = [];
  let length = 0;
  const hand = (): void => {
    const line = parts.join('');
    parts = [];
    length = 0;
    onLine(line);
  };
  return (text) => {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      parts.push(text.slice(start, end));
      start = end + 1;
      hand();
    }
    parts.push(text.slice(start));
    length += text.length - start;
    if (length > maxChars) hand();
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
