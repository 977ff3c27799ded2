import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HarnessError } from '../../errors.ts';

const MOST_PODS = 5;
const MOST_LINES = 20;
const MOST_CHARS = 500;

/** Where a cluster of this folder writes its pods' logs. */
export const podLogs = (folder: string): string => path.join(folder, 'pods');

/**
 * Says that these pods did not become ready, and of the first five what their node knows and how their logs end: the folder with the logs may be
 * gone when somebody reads it. Never throws.
 */
export function notReady(pods: readonly string[], statusOf: (pod: string) => string, folder: string): HarnessError {
  const what =
    pods.length === 0 ? 'the API server does not know every pod as ready' : `these pods did not become ready: ${pods.join(', ')}`;
  const words = pods.slice(0, MOST_PODS).map((pod) => `${pod}: ${statusOf(pod)}\n${endOfLog(path.join(podLogs(folder), `${pod}.log`))}`);
  return new HarnessError('lab-failed', [`${what}; logs are in ${folder}`, ...words].join('\n'));
}

function endOfLog(file: string): string {
  const lines = textOf(file).trimEnd().split('\n').slice(-MOST_LINES);
  return lines.map((line) => `  ${line === '' ? '(nothing)' : line.slice(0, MOST_CHARS)}`).join('\n');
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return `(no log: ${error instanceof Error ? error.message : String(error)})`;
  }
}
