import { createHash } from 'node:crypto';
import type { ResultDocument } from './result-shape.ts';
import type { Unjudged } from './unjudged.ts';

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
  const stop = Date.parse(result.startedWall) + result.durationMs;
  return filesOf(result.runId, attachments, {
    ...called(result.scenario.name),
    description: result.scenario.question,
    status: STATUS[result.verdict.outcome],
    statusDetails: { message: result.verdict.reason },
    start: Date.parse(result.startedWall),
    stop,
    labels: [...LABELS, { name: 'host', value: result.environment.kernel }, { name: 'tag', value: result.scenario.replication }],
    parameters: [
      { name: 'run', value: result.runId },
      { name: 'seed', value: String(result.environment.seed) },
      ...result.targets.map((target) => ({ name: target.name, value: target.text, excluded: true })),
    ],
    steps: result.findings.map((finding) => step(finding, stop)),
  });
}

/** Of a run that could not be judged, in the place of what `allureFiles` made of it. */
export function unjudgedAllureFiles(run: Unjudged, attachments: Readonly<Record<string, string>>): readonly AllureFile[] {
  const atMs = Date.parse(run.startedWall);
  return filesOf(run.runId, attachments, {
    ...called(run.scenario),
    status: 'broken',
    statusDetails: { message: run.problem },
    ...(Number.isNaN(atMs) ? {} : { start: atMs, stop: atMs }),
    labels: LABELS,
    parameters: [{ name: 'run', value: run.runId }],
    steps: [],
  });
}

/** What the names of all files of a run begin with. */
export const allureId = (runId: string): string => identifier(`run ${runId}`);

const called = (scenario: string) => ({ fullName: `gameday ${scenario}`, name: scenario });
const LABELS = [
  { name: 'suite', value: 'game days' },
  { name: 'framework', value: 'gameday' },
];

function filesOf(runId: string, attachments: Readonly<Record<string, string>>, body: object): readonly AllureFile[] {
  const uuid = allureId(runId);
  const attached = Object.entries(attachments).map(([name, text]) => ({ name, source: attachmentFile(uuid, name), text }));
  const document = {
    uuid,
    historyId: uuid,
    ...body,
    stage: 'finished',
    links: [],
    attachments: attached.map(({ name, source }) => ({ name, type: typeOf(name), source })),
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
