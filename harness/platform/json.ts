/** The text as JSON, or undefined when it is none: an answer that is not understood is an outcome, not an error. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
