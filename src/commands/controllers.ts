import { z } from 'zod';
import type { EngineConfig } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { controllerStatusShape, type ControllerStatus } from '../health/controller-status.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { loadCredentials } from '../platform/tls.ts';

const ASK_MS = 1500;
/** What the arbiter is asked for may take a few of its time-outs. */
const CHANGE_MS = 10_000;
/** As controllers refuse a field of a body (`withBody`). */
const UNKNOWN_FIELD = /^body: Unrecognized key/;
/** What every program of the engine answers instead. */
export const refusalShape = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface Answered {
  readonly url: string;
  readonly answer: ControllerStatus;
}

export type Posted =
  | { readonly kind: 'ok'; readonly by: string; readonly json: unknown }
  /** `isOlder`: the controller does not know what it was asked for. */
  | { readonly kind: 'refused'; readonly why: string; readonly isOlder?: true }
  /** Nobody said yes or no: it may have been done. */
  | { readonly kind: 'undecided'; readonly why: string };

interface PauseEnded {
  readonly by: string;
  readonly why?: string;
  readonly of: { readonly why: string; readonly since?: string };
}

/** An operator's connection to all controllers of the system. The owner calls `close`. */
export class Controllers {
  readonly config: EngineConfig;
  readonly #client: HttpsClient;
  readonly #signal: AbortSignal;

  constructor({ config, folder }: LoadedConfig, signal: AbortSignal) {
    this.config = config;
    this.#client = new HttpsClient(loadCredentials(config.tls, folder));
    this.#signal = signal;
  }

  close(): void {
    this.#client.close();
  }

  /** Those that answer. */
  async status(): Promise<readonly Answered[]> {
    const answers = await Promise.all(
      this.#urls().map(async (url) => {
        const parsed = controllerStatusShape.safeParse(await this.get(url, '/v1/status'));
        return parsed.success ? [{ url, answer: parsed.data }] : [];
      }),
    );
    return answers.flat();
  }

  /** Undefined: none that answers. */
  async leader(): Promise<Answered | undefined> {
    return (await this.status()).find(({ answer }) => answer.leads);
  }

  async get(url: string, path: string): Promise<unknown> {
    const result = await this.#client.call(url + path, { timeoutMs: ASK_MS, signal: this.#signal });
    return result.kind === 'reply' && result.status === 200 ? parseJson(result.body) : undefined;
  }

  /** Asks the leader. */
  async order(path: string, body: unknown): Promise<Posted> {
    const leader = await this.leader();
    if (leader === undefined) return { kind: 'undecided', why: 'no controller that leads answers; is the arbiter reachable?' };
    return this.#post(leader, path, body);
  }

  /** Asks the leader, or any other controller where nobody leads. */
  async change(path: string, body: unknown): Promise<Posted> {
    const answers = await this.status();
    const one = answers.find(({ answer }) => answer.leads) ?? answers[0];
    return one === undefined ? { kind: 'undecided', why: 'no controller answers' } : this.#post(one, path, body);
  }

  /** Ends the pause that it names. A controller that is older ends whichever there is, so that is looked at just before. */
  async endPause({ of, ...body }: PauseEnded): Promise<Posted> {
    const ended = await this.change('/v1/resume', { ...body, of });
    if (ended.kind !== 'refused' || ended.isOlder !== true) return ended;
    const held = (await this.leader())?.answer.paused;
    if (held === undefined || held.why !== of.why) return { kind: 'refused', why: 'that pause is over' };
    return await this.change('/v1/resume', body);
  }

  async #post({ url, answer }: Answered, path: string, body: unknown): Promise<Posted> {
    const result = await this.#client.call(url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      timeoutMs: CHANGE_MS,
      signal: this.#signal,
    });
    if (result.kind !== 'reply')
      return {
        kind: 'undecided',
        why: `${answer.region} did not answer (${result.reason}); look at coditect-dr status before you ask again`,
      };
    if (result.status === 200 || result.status === 202) return { kind: 'ok', by: answer.region, json: parseJson(result.body) };
    const refusal = refusalShape.safeParse(parseJson(result.body));
    const why = refusal.success ? refusal.data.error.message : `HTTP ${result.status}`;
    if (result.status === 400 && UNKNOWN_FIELD.test(why))
      return { kind: 'refused', why: `the controller of ${answer.region} is older than this program (${why})`, isOlder: true };
    return result.status >= 500 ? { kind: 'undecided', why } : { kind: 'refused', why };
  }

  #urls(): readonly string[] {
    return Object.values(this.config.regions).flatMap(({ controller }) => controller);
  }
}
