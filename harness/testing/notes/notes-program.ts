import { closeSync, existsSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

/**
 * A service that somebody else might have written, for tests: notes by title, over plain HTTP. It has nothing of the engine's contract: creating answers 201 and replacing 204, what was
 * discarded is 410, what never was 404, and what makes no sense 422. `notes-program.js HOST PORT FILE [forgetful | needs=HOST:PORT]`: a forgetful one answers before it has written anything, and never does; one that needs another service writes only
 * while it gets a connection to that, and answers 503 else.
 */
const [host = '', port = '', file = '', how = ''] = process.argv.slice(2);
const DISCARDED = null;
const notes = new Map<string, string | typeof DISCARDED>();
if (existsSync(file))
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) remember(JSON.parse(line) as [string, string | null]);
const log = openSync(file, 'a');

function remember([title, text]: readonly [string, string | null]): void {
  notes.set(title, text);
}

/** Changes that are written and wait for the disk; whoever comes while it is busy shares the next turn. */
let waiting: (() => void)[] = [];
let busy = false;

function keep(title: string, text: string | null, kept: () => void): void {
  remember([title, text]);
  if (how === 'forgetful') return kept();
  writeSync(log, `${JSON.stringify([title, text])}\n`);
  waiting.push(kept);
  if (!busy) sync();
}

function sync(): void {
  const written = waiting;
  waiting = [];
  busy = written.length > 0;
  if (!busy) return;
  fdatasync(log, (error) => {
    if (error !== null) throw error;
    for (const kept of written) kept();
    sync();
  });
}

const [, needed] = /^needs=(.+)$/.exec(how) ?? [];
const NEEDED_WITHIN_MS = 500;

/** Whether what it needs is there; nothing is needed by default. */
function isServed(then: (is: boolean) => void): void {
  if (needed === undefined) return then(true);
  const [, from = '', at = ''] = /^(.*):(\d+)$/.exec(needed) ?? [];
  const socket = connect(Number(at), from);
  const settle = (is: boolean): void => {
    socket
      .removeAllListeners()
      .on('error', () => undefined)
      .destroy();
    then(is);
  };
  socket.setTimeout(NEEDED_WITHIN_MS, () => settle(false));
  socket.once('connect', () => settle(true)).once('error', () => settle(false));
}

function answer(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function serve(method: string, url: string, body: string, response: ServerResponse): void {
  const [, title = '', action = ''] = /^\/notes\/([^/]+)(\/discard)?$/.exec(url) ?? [];
  const there = notes.get(title);
  if (title === '') return answer(response, 400, { problem: 'no such thing' });
  if (method === 'POST' && action !== '') {
    return typeof there === 'string' ? keep(title, DISCARDED, () => answer(response, 204)) : answer(response, 204);
  }
  if (method === 'GET') {
    if (there === undefined) return answer(response, 404);
    return there === DISCARDED ? answer(response, 410) : answer(response, 200, { note: { text: there, length: there.length } });
  }
  const { note } = JSON.parse(body) as { note?: { text?: unknown } };
  if (method !== 'PUT' || typeof note?.text !== 'string') return answer(response, 422, { problem: 'no text' });
  const text = note.text;
  return isServed((is) => {
    if (is) keep(title, text, () => answer(response, there === undefined ? 201 : 204));
    else answer(response, 503, { problem: `${needed} is away` });
  });
}

const server = createServer((request: IncomingMessage, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => (body += part));
  request.on('end', () => {
    try {
      serve(request.method ?? '', request.url ?? '', body, response);
    } catch (error) {
      answer(response, 422, { problem: String(error) });
    }
  });
});
server.listen(Number(port), host, () =>
  process.stdout.write(`${JSON.stringify({ action: 'listening', port: (server.address() as { port: number }).port })}\n`),
);
process
  .on('SIGTERM', () => undefined)
  .once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
    closeSync(log);
  });
