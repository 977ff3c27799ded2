import path from 'node:path';
import { AUTHORITY } from '../measure/recovery-time.ts';
import { abortable } from '../platform/abortable.ts';
import { HarnessError } from '../platform/errors.ts';
import type { Platform, PodProgram, RunContext } from '../platform/platform.ts';
import { agentReportSchema, type AgentCommand } from './agent-protocol.ts';
import { DNS_PORT, SERVICE_NAME } from './endpoints.ts';

const AGENT = path.resolve(import.meta.dirname, 'agent.js');
const START_MS = 10_000;
/** The agent has its own limit for each request; beyond this it is itself in trouble. */
const SLACK_MS = 2000;
const AUTHORITY_PERIOD_MS = 20;

export interface Answer {
  /** 0: no answer. */
  readonly status: number;
  readonly body: string;
}

/** The runner's client of the engine: sends GETs from the operator's pod, and records what the authoritative DNS server answers. */
export class Operator {
  readonly #program: PodProgram;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #nextId = 1;

  private constructor(program: PodProgram) {
    this.#program = program;
  }

  /** Throws HarnessError (lab-failed) when the agent does not come up. */
  static async start(platform: Platform, context: RunContext, signal: AbortSignal): Promise<Operator> {
    const pods = platform.pods();
    const pod = pods.find((one) => one.labels.app === 'operator');
    const dns = pods.find((one) => one.labels.app === 'dns')?.addresses[0];
    if (pod === undefined || dns === undefined) throw new HarnessError('lab-failed', 'the lab has no operator or no dns pod');
    const operator = new Operator(platform.runInPod(pod.name, process.execPath, ['--enable-source-maps', AGENT]));
    const ready = Promise.withResolvers<void>();
    operator.#program.onMessage((message) => {
      const report = agentReportSchema.parse(message);
      if (report.type === 'ready') ready.resolve();
      else if (report.type === 'dns') context.record({ kind: 'dns', vantage: AUTHORITY, addresses: report.addresses });
      else operator.#answered(report.id, report);
    });
    void operator.#program.exited.then(({ code }) => {
      ready.reject(new HarnessError('lab-failed', `the operator's agent ended (exit code ${code}); see pods/operator.log`));
      for (const id of operator.#waiting.keys()) operator.#answered(id, { status: 0, body: 'the agent is gone' });
    });
    operator.#send({
      type: 'configure',
      tls: { ca: 'tls/ca.crt', cert: 'tls/tls.crt', key: 'tls/tls.key' },
      authority: { address: dns, port: DNS_PORT, name: SERVICE_NAME, periodMs: AUTHORITY_PERIOD_MS },
    });
    const late = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const whyNot = (): Error => (signal.aborted ? (signal.reason as Error) : new HarnessError('timeout', 'the agent did not start'));
    await abortable(ready.promise, late, whyNot);
    return operator;
  }

  /** Never rejects; resolves within timeoutMs and a little. */
  get(url: string, timeoutMs: number): Promise<Answer> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const limit = setTimeout(() => this.#answered(id, { status: 0, body: 'the agent does not answer' }), timeoutMs + SLACK_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(limit);
        resolve(answer);
      });
      this.#send({ type: 'get', id, url, timeoutMs });
    });
  }

  async close(): Promise<void> {
    this.#send({ type: 'stop' });
    const limit = setTimeout(() => this.#program.kill(), 500);
    await this.#program.exited;
    clearTimeout(limit);
  }

  #send(command: AgentCommand): void {
    this.#program.send(command);
  }

  #answered(id: number, { status, body }: Answer): void {
    this.#waiting.get(id)?.({ status, body });
    this.#waiting.delete(id);
  }
}
