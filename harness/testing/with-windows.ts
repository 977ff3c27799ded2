import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';

/** In a scenario's own words: how long it observes, how long it waits for service, and its targets. */
export interface Windows {
  readonly observe?: string;
  readonly awaitRecovery?: string;
  readonly targets?: Readonly<Record<string, string>>;
}

interface Written {
  readonly method: readonly Readonly<Record<string, unknown>>[];
  readonly targets: Readonly<Record<string, unknown>>;
}

/** Writes the scenario with these windows into the folder and gives the path of that file: the same question, fault and checks. */
export function withWindows(scenarioFile: string, { observe, awaitRecovery, targets }: Windows, folder: string): string {
  const written = parse(readFileSync(scenarioFile, 'utf8')) as Written;
  const method = written.method.map((step) => ({
    ...step,
    ...(typeof step['manifest'] === 'string' ? { manifest: path.resolve(path.dirname(scenarioFile), step['manifest']) } : {}),
    ...('observe' in step && observe !== undefined ? { observe } : {}),
    ...('awaitRecovery' in step && awaitRecovery !== undefined ? { awaitRecovery } : {}),
  }));
  const file = path.join(folder, path.basename(scenarioFile));
  writeFileSync(file, stringify({ ...written, method, targets: { ...written.targets, ...targets } }));
  return file;
}
