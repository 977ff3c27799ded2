/** Where commands write: text for people, one JSON document for programs; progress never mixes with the latter. */
export interface Output {
  readonly color: boolean;
  readonly columns: number;
  text(text: string): void;
  json(value: unknown): void;
  progress(text: string): void;
}

export function standardOutput(json: boolean): Output {
  const { stdout, stderr } = process;
  return {
    color: stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    columns: stdout.isTTY ? stdout.columns : 0,
    text: (text) => void stdout.write(text),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: (text) => void (json ? stderr : stdout).write(text),
  };
}
