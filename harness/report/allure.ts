import { createHash } from 'node:crypto';
import type { ResultDocument } from './result-shape.ts';

/** A file of Allure's result folder, by name. */
export interface AllureFile {
  readonly name: string;
  readonly text: string;
}

type Status = 'passed' | 'failed' | 'broken' | 'skipped';
const STATUS: Readonly<Record<ResultDocument['findings'][number]['outcome'], Status>> = {
  pass: 'passed',
  warn: 'passed',
  fail: 'failed',
  inconclusive: 'broken',
  skipped: 'skipped',
};

/**
 * A run as an Allure 2 result: its checks are the steps, its reports the attachments. File names come from the run,
 * so judging it again replaces the result instead of adding one. Each run is a test of its own to Allure: of those that share a history in one
 * folder it shows the last one only, and tells the others as retries of it, so that a run which failed would vanish behind the next that passed.
 */
export function allureFiles(result: ResultDocument, attachments: Readonly<Record<string, string>>): readonly AllureFile[] {
  const uuid = identifier(`run ${result.runId}`);
  const attached = Object.entries(attachments).map(([name, text]) => ({
    name,
    type: typeOf(name),
    source: attachmentFile(uuid, name),
    text,
  }));
  const stop = Date.parse(result.startedWall) + result.durationMs;
  const document = {
    uuid,
    historyId: uuid,
    fullName: `gameday ${result.scenario.name}`,
    name: result.scenario.name,
    description: result.scenario.question,
    status: STATUS[result.verdict.outcome],
    statusDetails: { message: result.verdict.reason },
    stage: 'finished',
    start: Date.parse(result.startedWall),
    stop,
    labels: [
      { name: 'suite', value: 'game days' },
      { name: 'framework', value: 'gameday' },
      { name: 'host', value: result.environment.kernel },
      { name: 'tag', value: result.scenario.replication },
    ],
    parameters: [
      { name: 'run', value: result.runId },
      { name: 'seed', value: String(result.environment.seed) },
      ...result.targets.map((target) => ({ name: target.name, value: target.text, excluded: true })),
    ],
    links: [],
    steps: result.findings.map((finding) => step(finding, stop)),
    attachments: attached.map(({ name, type, source }) => ({ name, type, source })),
  };
  return [
    ...attached.map(({ source, text }) => ({ name: source, text })),
    { name: `${uuid}-result.json`, text: `${JSON.stringify(document)}\n` },
  ];
}

function step(finding: ResultDocument['findings'][number], atMs: number): object {
  return {
    name: `${finding.check}: ${finding.message}`,
    status: STATUS[finding.outcome],
    statusDetails: finding.evidence.length === 0 ? {} : { message: `events.ndjson, line ${finding.evidence.slice(0, 20).join(', ')}` },
    stage: 'finished',
    start: atMs,
    stop: atMs,
    steps: [],
    attachments: [],
    parameters: [],
  };
}

/** Allure takes every file that ends with -result.json for a result, so the report's own name may not be last. */
function attachmentFile(uuid: string, name: string): string {
  const dot = name.lastIndexOf('.');
  return `${uuid}-${name.slice(0, dot)}-attachment${name.slice(dot)}`;
}

function typeOf(name: string): string {
  if (name.endsWith('.html')) return 'text/html';
  return name.endsWith('.json') ? 'application/json' : 'text/plain';
}

/** A UUID made from what it names. */
function identifier(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
