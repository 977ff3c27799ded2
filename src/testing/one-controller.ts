import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { runCli } from '../cli.ts';
import { Controllers } from '../commands/controllers.ts';
import { loadConfig } from '../config/load.ts';
import { wrongBody } from '../failover/routes.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { errorReply, jsonReply, type HttpReply, type Route } from '../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../platform/https-server.ts';
import { makeTestAuthority } from './certificates.ts';
import { foundationdbConfig } from './foundationdb-config.ts';
import { configWithoutSystem, REGIONS } from './test-config.ts';

/** Bodies of `/v1/pause` and `/v1/resume` before `over` and `of`. */
const OLDER = z.strictObject({ by: z.string(), why: z.string().optional(), forMs: z.number().optional(), yields: z.boolean().optional() });

const FOUNDATIONDB = foundationdbConfig(
  { clusterFile: 'fdb.cluster', library: null },
  Object.fromEntries(REGIONS.map((region) => [region, region])),
);
const LOOKS = 20;

interface Asked extends Paused {
  readonly yields?: boolean;
  readonly over?: Paused;
  readonly of?: Partial<Paused>;
}

export type Paused = NonNullable<ControllerStatus['paused']>;

export const pausedBy = (by: string, why: string): Paused => ({ by, why, since: '2026-11-28T12:00:00.000Z', until: null });

/** One controller that leads and is told what to say, and a folder with the configuration of a system that has it, for commands that are given in this process. The owner calls `close`. */
export class OneController {
  paused: Paused | undefined;
  /** What somebody has paused for between a look and the pause that was asked for. */
  first: Paused | undefined;
  /** `pause` and `resume`, as they were asked for. */
  asked: string[] = [];
  leads = true;
  /** Of a version that does not know `over` and `of`. */
  isOlder = false;
  /** Before each answer. */
  onStatus = (): void => undefined;
  /** What the region's database tells of itself, where it is told to be here. */
  tells = (): object => ({});
  readonly folder = mkdtempSync(join(tmpdir(), 'one-controller-'));
  #server: HttpsServer | null = null;
  #pauses = 0;

  /** @param database its section of the configuration, of FoundationDB if left out; `withGateway`: the region's database is told to be where the controller is, so that it answers a status */
  static async start(database: object = FOUNDATIONDB, { withGateway = false } = {}): Promise<OneController> {
    const one = new OneController();
    const authority = await makeTestAuthority();
    const { ca, cert, key } = await authority.issue('operator.us-east1');
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(one.file(`${name}.pem`), pem);
    const credentials = await authority.issue('controller.us-central1');
    const server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes: one.#routes(), onError: () => undefined });
    one.#server = server;
    const config = configWithoutSystem(database, (program, region) =>
      region === REGIONS[0] && (program === 'controller' || (withGateway && program === 'database')) ? server.port : 1,
    );
    writeFileSync(one.file('config.yaml'), config);
    await one.#answers();
    return one;
  }

  /** What a command waits for is no first handshake of a busy machine. */
  async #answers(): Promise<void> {
    const controllers = new Controllers(loadConfig(this.file('config.yaml'), {}), new AbortController().signal);
    try {
      for (let looks = 0; looks < LOOKS && (await controllers.leader()) === undefined; looks++);
    } finally {
      controllers.close();
    }
  }

  #routes(): readonly Route[] {
    const route = (method: 'GET' | 'POST', path: string, handle: Route['handle']): Route => ({ method, path, roles: 'anyone', handle });
    return [
      route('GET', '/v1/status', () => {
        this.onStatus();
        const told = { region: REGIONS[0], leader: REGIONS[0], leads: this.leads, step: 'OBSERVE', primary: REGIONS[0], epoch: 3 } as const;
        return jsonReply({
          ...told,
          state: 'Normal',
          observers: {},
          reasons: [],
          paused: this.paused,
          ...this.tells(),
        } satisfies ControllerStatus);
      }),
      route('POST', '/v1/pause', ({ body }) => this.#asked('pause', body, (asked) => this.#pause(asked))),
      route('POST', '/v1/resume', ({ body }) => this.#asked('resume', body, (asked) => this.#resume(asked))),
    ];
  }

  #asked(what: string, body: Buffer, answer: (asked: Asked) => HttpReply): HttpReply {
    this.asked.push(what);
    const asked: unknown = JSON.parse(body.toString('utf8'));
    const older = OLDER.safeParse(asked);
    return this.isOlder && !older.success ? wrongBody(older.error) : answer(asked as Asked);
  }

  /** As the desk does it (desk.test.ts). */
  #pause({ why, yields, over }: Asked): HttpReply {
    if (this.first !== undefined) this.paused = this.first;
    const goesOver = this.paused?.why === over?.why && this.paused?.since === over?.since;
    if (yields === true && this.paused !== undefined && this.paused.why !== why && !goesOver)
      return errorReply(409, 'bad-request', 'meanwhile', 'no');
    this.paused = { ...pausedBy('ada (operator.us-east1)', why), since: new Date(++this.#pauses).toISOString() };
    return jsonReply({});
  }

  #resume({ of }: Asked): HttpReply {
    const isOne = of === undefined || (of.why === this.paused?.why && (of.since === undefined || of.since === this.paused?.since));
    if (this.paused === undefined || !isOne) return errorReply(409, 'bad-request', 'that pause is over', 'no');
    this.paused = undefined;
    return jsonReply({});
  }

  readonly file = (name: string): string => join(this.folder, name);

  async run(...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    return { code: await runCli([...words, '--config', this.file('config.yaml')], world), said };
  }

  async close(): Promise<void> {
    await this.#server?.close(0);
    rmSync(this.folder, { recursive: true });
  }
}
