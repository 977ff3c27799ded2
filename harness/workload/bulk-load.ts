import path from 'node:path';
import { ENGINE_PORTS, SERVICE_NAME } from '../engine/endpoints.ts';
import { HarnessError } from '../platform/errors.ts';
import type { Platform, PodProgram, RunContext } from '../platform/platform.ts';
import { findTool } from '../platform/tools.ts';
import type { Step } from '../scenario/scenario.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../../harness/workload/k6/bulk.js');
/** k6 starts, waits for its last answers and writes its summary. */
const SLACK_MS = 15_000;
const POD = 'client-outside';

type BulkStep = Extract<Step, { readonly do: 'bulk' }>;

/** Load of k6 from outside the regions, beside the clients that measure: none of it is in the ledger. Owner: the run; close() ends it. */
export class BulkLoad {
  readonly #platform: Platform;
  readonly #context: RunContext;
  readonly #running: { readonly program: PodProgram; readonly recorded: Promise<void> }[] = [];

  constructor(platform: Platform, context: RunContext) {
    this.#platform = platform;
    this.#context = context;
  }

  /** Throws HarnessError `missing-tool` where there is no k6. */
  start(step: BulkStep, timeoutMs: number): void {
    const k6 = findTool('k6');
    if (k6 === undefined) throw new HarnessError('missing-tool', 'k6 is not installed; ./scripts/setup builds it');
    const startedMs = this.#context.nowMs();
    // A pod program's stdout is for messages; the summary is a file in the pod, which the pod's own shell prints as one line.
    const program = this.#platform.runInPod(POD, 'sh', [
      '-c',
      RUN,
      'sh',
      ...Object.entries(settings(step, timeoutMs)).map(([name, value]) => `${name}=${value}`),
      k6,
      'run',
      ...FLAGS,
      SCRIPT,
    ]);
    let summary: Readonly<Record<string, unknown>> | null = null;
    let exitCode: number | null = null;
    let acknowledged: readonly number[] = [];
    program.onMessage((message) => {
      const { k6: told, code, acknowledged: numbers } = message as { k6?: Record<string, unknown>; code?: number; acknowledged?: number[] };
      if (told !== undefined) summary = told;
      if (numbers !== undefined) acknowledged = numbers;
      if (code !== undefined) exitCode = code;
    });
    const limit = setTimeout(() => program.kill(), step.forMs + SLACK_MS);
    const recorded = program.exited.then(() => {
      clearTimeout(limit);
      this.#context.record({ kind: 'bulk', name: step.name, startedMs, endedMs: this.#context.nowMs(), exitCode, summary, acknowledged });
    });
    this.#running.push({ program, recorded });
  }

  /** Resolves when all of it has ended, as it does by itself. */
  async ended(): Promise<void> {
    await Promise.all(this.#running.map(({ recorded }) => recorded));
  }

  async close(): Promise<void> {
    for (const { program } of this.#running) program.kill();
    await this.ended();
  }
}

const SUMMARY = '/run/pod/k6-summary.json';
/** `time="…" level=info msg=NUMBER`, a line for each write that was acknowledged. */
const ACKNOWLEDGED = '/run/pod/k6-acknowledged.log';
/** Nothing asked of anybody but the service: no usage report, no port of its own. */
const FLAGS = ['--quiet', '--no-color', '--address', '', '--summary-export', SUMMARY, '--console-output', ACKNOWLEDGED];
const RUN = `rm -f ${ACKNOWLEDGED}; env "$@"; code=$?
[ -s ${SUMMARY} ] && { printf '{"k6":'; tr -d '\\n' < ${SUMMARY}; printf '}\\n'; }
[ -s ${ACKNOWLEDGED} ] && { printf '{"acknowledged":['; sed -n 's/.* level=info msg=\\([0-9][0-9]*\\)$/\\1/p' ${ACKNOWLEDGED} | paste -sd, - | tr -d '\\n'; printf ']}\\n'; }
printf '{"code":%s}\\n' "$code"`;

function settings(step: BulkStep, timeoutMs: number): Readonly<Record<string, string>> {
  return {
    K6_NO_USAGE_REPORT: 'true',
    SSL_CERT_FILE: '/run/pod/tls/ca.crt',
    BULK_NAME: step.name,
    BULK_RATE: String(step.perSecond),
    BULK_FOR_MS: String(step.forMs),
    BULK_BYTES: String(step.valueBytes),
    BULK_MAY_FAIL: String(step.mayFail),
    BULK_TIMEOUT_MS: String(timeoutMs),
    BULK_URL: `https://${SERVICE_NAME}:${ENGINE_PORTS.api}`,
  };
}
