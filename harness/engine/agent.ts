import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { StubResolver } from '../workload/resolver.ts';
import { agentCommandSchema, type AgentConfig, type AgentReport } from './agent-protocol.ts';

/** The program of the operator's pod: asks the engine what the runner wants to know, with the operator's certificate. It judges nothing. */

const MAX_BODY_BYTES = 64 * 1024 * 1024;

class OperatorAgent {
  readonly #agent: Agent;
  readonly #resolver: StubResolver;
  readonly #watch: NodeJS.Timeout;
  #addresses = '';

  constructor(config: AgentConfig) {
    const { ca, cert, key } = config.tls;
    this.#agent = new Agent({ keepAlive: true, ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) });
    const { address, port, name, periodMs } = config.authority;
    this.#resolver = new StubResolver({ address, port });
    this.#watch = setInterval(() => void this.#askAuthority(name, periodMs), periodMs);
  }

  get(id: number, url: string, timeoutMs: number): void {
    const answer = (status: number, body: string): void => report({ type: 'answer', id, status, body });
    const outgoing = request(url, { agent: this.#agent }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) outgoing.destroy(new Error('answer too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => settle(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
    });
    const limit = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    let settled = false;
    const settle = (status: number, body: string): void => {
      if (settled) return;
      settled = true;
      clearTimeout(limit);
      answer(status, body);
    };
    outgoing.on('error', (error) => settle(0, error.message));
    outgoing.on('close', () => settle(0, 'the connection was closed'));
    outgoing.end();
  }

  close(): void {
    clearInterval(this.#watch);
    this.#resolver.close();
    this.#agent.destroy();
  }

  async #askAuthority(name: string, periodMs: number): Promise<void> {
    const resolution = await this.#resolver.resolve(name, periodMs * 5);
    const addresses = resolution.ok ? resolution.addresses.toSorted() : [];
    if (!resolution.ok || addresses.join() === this.#addresses) return;
    this.#addresses = addresses.join();
    report({ type: 'dns', addresses });
  }
}

function report(message: AgentReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function main(): Promise<void> {
  let agent: OperatorAgent | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const command = agentCommandSchema.parse(JSON.parse(line));
    if (command.type === 'configure') {
      agent = new OperatorAgent(command);
      report({ type: 'ready' });
    } else if (command.type === 'get') agent?.get(command.id, command.url, command.timeoutMs);
    else break;
  }
  agent?.close();
}

await main();
process.stdin.destroy();
