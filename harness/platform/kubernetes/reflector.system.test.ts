import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scriptedApiServer } from '../../testing/scripted-api-server.ts';
import { makeIdentities, type Identities } from './containerless/identities.ts';
import { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { Reflector } from './reflector.ts';

/** `told`: what the follower has told so far. */
type Turn = (request: URL, response: ServerResponse, told: readonly string[]) => void;

const object = (name: string, version: number): KubeObject => ({ metadata: { name, uid: name, resourceVersion: String(version) } });
const list =
  (version: number, ...items: KubeObject[]): Turn =>
  (_, response) =>
    void response.end(JSON.stringify({ items, metadata: { resourceVersion: String(version) } }));
const line = (type: string, of: object): string => `${JSON.stringify({ type, object: of })}\n`;

describe('following a collection of the API', () => {
  let folder: string;
  let identities: Identities;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'reflector-'));
    identities = await makeIdentities(['127.0.0.1'], new Date());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Plays the script to its end, a turn a request, and gives what was told and what was asked: what a real server does once in hours, when its history is cut or it is restarted. */
  async function follow(...turns: Turn[]): Promise<{ told: readonly string[]; asked: readonly string[] }> {
    const script = [...turns];
    const asked: URL[] = [];
    const told: string[] = [];
    const server = await scriptedApiServer({ folder, identities, user: 'gameday' }, (request, response) => {
      const url = new URL(request.url ?? '/', 'https://scripted');
      asked.push(url);
      script.shift()?.(url, response, told); // the last watch stays open
    });
    const stop = new AbortController();
    const client = await KubeClient.open(server.kubeconfig, 'a');
    const reflector = new Reflector<KubeObject>(
      client,
      '/api/v1/things',
      ({ change, object: of }) => void told.push(`${change} ${of.metadata.name}`),
    );
    const running = reflector.run(stop.signal);
    const wanted = turns.length + 1;
    for (const limit = AbortSignal.timeout(60_000); asked.length < wanted; await new Promise((resolve) => setTimeout(resolve, 10)))
      limit.throwIfAborted();
    stop.abort(new Error('enough'));
    await running;
    server.close();
    return {
      told,
      asked: asked.map((url) =>
        `${url.searchParams.has('watch') ? 'watch' : 'list'} ${url.searchParams.get('resourceVersion') ?? ''}`.trim(),
      ),
    };
  }

  it('goes on where a watch ended, and where a bookmark said that it was', async () => {
    const { told, asked } = await follow(
      list(5, object('a', 1)),
      (_, response) => void response.end(line('ADDED', object('b', 6)) + line('BOOKMARK', { metadata: { resourceVersion: '9' } })),
      (_, response) => void response.end(line('MODIFIED', object('a', 10))),
    );
    expect(told).to.deep.equal(['appeared a', 'appeared b', 'changed a']);
    expect(asked).to.deep.equal(['list', 'watch 5', 'watch 9', 'watch 10']);
  });

  it('lists again when the history was cut, and tells what came, changed and went meanwhile', async () => {
    for (const expired of [
      (_: URL, response: ServerResponse) => void response.writeHead(410).end('{"kind":"Status","code":410}'),
      (_: URL, response: ServerResponse) => void response.end(line('ERROR', { kind: 'Status', code: 410, metadata: {} })),
    ] as const) {
      const { told, asked } = await follow(
        list(5, object('a', 1), object('b', 2), object('c', 3)),
        expired,
        list(20, object('b', 2), object('c', 18), object('d', 19)),
      );
      expect(told).to.deep.equal(['appeared a', 'appeared b', 'appeared c', 'gone a', 'changed c', 'appeared d']);
      expect(asked).to.deep.equal(['list', 'watch 5', 'list', 'watch 20']);
    }
  });

  it('a connection that is cut in the middle of a line costs nothing: the line comes again', async () => {
    const { told, asked } = await follow(
      list(5),
      (_, response, seen) => {
        response.write(line('ADDED', object('a', 6)) + line('ADDED', object('b', 7)).slice(0, 20));
        const looking = setInterval(() => {
          if (seen.length === 0) return;
          clearInterval(looking);
          response.destroy();
        }, 5);
      },
      (_, response) => void response.end(line('ADDED', object('b', 7))),
    );
    expect(told).to.deep.equal(['appeared a', 'appeared b']);
    expect(asked).to.deep.equal(['list', 'watch 5', 'watch 6', 'watch 7']);
  });

  it('waits while the server asks for patience or has an error of its own', async () => {
    const { told } = await follow(
      (_, response) => void response.writeHead(429).end('{}'),
      (_, response) => void response.writeHead(503).end('{}'),
      list(5, object('a', 1)),
      (_, response) => void response.writeHead(429).end('{}'),
    );
    expect(told).to.deep.equal(['appeared a']);
  });
});
