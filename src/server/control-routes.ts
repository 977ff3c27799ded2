import type { Database } from '../database/database.ts';
import { errorReply, jsonReply, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import { EngineError } from '../platform/errors.ts';
import { parseJson } from '../platform/https-client.ts';
import { linesOf } from '../platform/lines.ts';
import { decodeAppend } from '../replication/wire.ts';
import {
  fenceRequestShape,
  promoteRequestShape,
  sealRequestShape,
  type FenceResponse,
  type PromoteResponse,
  type SealResponse,
} from './control-messages.ts';
import { decode, malformed } from './decode.ts';
import type { DatabaseNode } from './node.ts';

/** An append of the longest batch, every character of it escaped. */
const MAX_APPEND_CHARS = 16 * 1024 * 1024;

export interface ControlOptions {
  readonly node: DatabaseNode;
  readonly database: Database;
  readonly region: string;
}

/** What primaries and controllers ask of a database. */
export function controlRoutes(options: ControlOptions): readonly Route[] {
  const post = (path: string, handle: Route['handle'], more: Partial<Route> = {}): Route => ({
    method: 'POST',
    path,
    roles: ['controller'],
    handle,
    ...more,
  });
  return [
    post('/v1/append', (request) => append(options, request), { roles: ['database'], streamBody: true, lasting: true }),
    post('/v1/snapshot', (request) => snapshot(options, request), { roles: ['database'], streamBody: true }),
    post('/v1/seal', (request) => seal(options, request)),
    post('/v1/fence', (request) => fence(options, request)),
    post('/v1/promote', (request) => promote(options, request)),
  ];
}

/** An append a line, as long as the primary goes on; an answer a line. */
function append({ node }: ControlOptions, request: HttpRequest): HttpReply {
  async function* answers(): AsyncGenerator<string> {
    for await (const line of linesOf(request.stream, MAX_APPEND_CHARS)) {
      const decoded = decodeAppend(parseJson(line));
      // Ending without an answer refuses it: there is no sense in what would follow.
      if (decoded === null || decoded.region !== request.caller?.region)
        throw new EngineError('bad-request', 'not an append of the calling region');
      yield `${JSON.stringify(await node.append(decoded))}\n`;
    }
  }
  return { status: 200, body: answers() };
}

async function snapshot({ node }: ControlOptions, request: HttpRequest): Promise<HttpReply> {
  const reply = await node.install(request.stream);
  return reply === null ? errorReply(400, 'bad-request', 'not a snapshot') : jsonReply(reply);
}

async function seal({ node, database, region }: ControlOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(sealRequestShape, request);
  if (asked === null) return malformed();
  if (!(await node.seal(asked.epoch))) return passed(database);
  const { log, sealedEpoch } = database.state();
  const promisedMs = Math.ceil(node.promises.boundMs(asked.waitMs));
  return jsonReply({ region, sealedEpoch, lastIndex: log.index, lastEpoch: log.epoch, promisedMs } satisfies SealResponse);
}

async function fence({ node, database, region }: ControlOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(fenceRequestShape, request);
  if (asked === null) return malformed();
  if (!(await node.fence(asked.epoch))) return passed(database);
  const { log } = database.state();
  return jsonReply({ region, epoch: asked.epoch, lastIndex: log.index, lastEpoch: log.epoch } satisfies FenceResponse);
}

async function promote({ node, database, region }: ControlOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(promoteRequestShape, request);
  if (asked === null) return malformed();
  const result = await node.promote(asked, request.signal);
  if (result.kind === 'epoch-passed') return errorReply(409, 'epoch-passed', result.message, 'no');
  if (result.kind === 'bound') return errorReply(503, 'promised', result.message, 'no');
  if (result.kind === 'unknown') return errorReply(503, 'arbiter-unavailable', result.message, 'unknown');
  const { log } = database.state();
  return jsonReply({ region, epoch: asked.epoch, writable: result.writable, lastIndex: log.index } satisfies PromoteResponse);
}

function passed(database: Database): HttpReply {
  return errorReply(409, 'epoch-passed', `sealed by epoch ${database.state().sealedEpoch}`, 'no');
}
