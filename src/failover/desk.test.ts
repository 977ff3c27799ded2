import { expect } from 'chai';
import type { Arbiter, Held, Maintenance, Snapshot } from '../arbiter/arbiter.ts';
import type { HttpRequest } from '../platform/http.ts';
import type { Log } from '../telemetry/log.ts';
import type { Controller } from './controller.ts';
import { Desk } from './desk.ts';
import { controllerRoutes } from './routes.ts';

const NEVER = new AbortController().signal;
const none = (): undefined => undefined;
const LOG = { info: none, error: none } as unknown as Log;
const NOW_MS = Date.parse('2026-11-28T12:00:00.000Z');
const ada = { by: 'ada', why: 'FoundationDB: drop us-east1', forMs: 60_000, yields: true };

/** What is in the arbiter, and an older look at it. */
function desk(held: Maintenance | null, seen: Maintenance | null = held): { readonly desk: Desk; readonly now: () => Maintenance | null } {
  let current: Held<Maintenance> | null = held === null ? null : { value: held, revision: 7 };
  const cas = (_: string, expected: number | null, value: Maintenance) => {
    if (expected !== (current?.revision ?? null)) return Promise.resolve({ ok: false, reason: 'conflict', current });
    current = { value, revision: (expected ?? 0) + 1 };
    return Promise.resolve({ ok: true, revision: current.revision });
  };
  const records = () => ({ maintenance: seen === null ? null : { value: seen, revision: seen === held ? 7 : 3 } }) as unknown as Snapshot;
  const options = { arbiter: { cas } as unknown as Arbiter, log: LOG, records, wallMs: () => NOW_MS, onRecord: none };
  return { desk: new Desk(options), now: () => current?.value ?? null };
}
const anna = (more: Partial<Maintenance> = {}): Maintenance => ({
  paused: true,
  by: 'anna',
  why: 'new switches',
  since: '2026-11-28T11:00:00.000Z',
  until: null,
  seq: 4,
  ...more,
});

describe('a pause that yields', () => {
  it('leaves one of somebody else as it is, also where it was made after the last look', async () => {
    for (const seen of [anna(), null]) {
      const { desk: asked, now } = desk(anna(), seen);
      expect(await asked.pause(ada, NEVER)).to.equal(null);
      expect(now()).to.deep.equal(anna());
    }
  });
  it('is made where none is in force, or its own is', async () => {
    for (const held of [null, anna({ paused: false }), anna({ until: '2026-11-28T11:59:59.000Z' }), anna({ why: ada.why })]) {
      const { desk: asked, now } = desk(held);
      expect(await asked.pause(ada, NEVER)).to.include({ by: 'ada', until: '2026-11-28T12:01:00.000Z' });
      expect(now()).to.include({ by: 'ada', paused: true });
    }
  });
  it('takes the place of the one that it names, and of none that was renewed meanwhile', async () => {
    const { why, since } = anna();
    expect(await desk(anna()).desk.pause({ ...ada, over: { why, since } }, NEVER)).to.include({ by: 'ada', seq: 5 });
    for (const over of [
      { why, since: '2026-11-28T10:59:00.000Z' },
      { why: 'another', since },
    ])
      expect(await desk(anna()).desk.pause({ ...ada, over }, NEVER)).to.equal(null);
  });
  it('is one among others: an operator who pauses again takes the place of whoever did before', async () => {
    const { desk: asked, now } = desk(anna());
    expect(await asked.pause({ by: 'bert', why: 'a drill', forMs: null }, NEVER)).to.include({ by: 'bert', seq: 5 });
    expect(now()).to.include({ by: 'bert' });
  });
});

describe('a resume that names a pause', () => {
  const { why, since } = anna();
  const bert = { by: 'bert', why: 'done' };
  it('ends that one, and none that has taken its place since', async () => {
    for (const named of [{ why, since }, { why }]) {
      expect(await desk(anna()).desk.resume({ ...bert, of: named }, NEVER)).to.include({ by: 'bert', paused: false, seq: 5 });
      const { desk: asked, now } = desk(anna({ why: 'a drill' }), anna());
      expect(await asked.resume({ ...bert, of: named }, NEVER)).to.equal(null);
      expect(now()).to.include({ paused: true, why: 'a drill' });
    }
    expect(await desk(anna({ since: '2026-11-28T11:30:00.000Z' })).desk.resume({ ...bert, of: { why, since } }, NEVER)).to.equal(null);
  });
  it('is one among others: without a name whichever there is is ended', async () => {
    expect(await desk(anna()).desk.resume(bert, NEVER)).to.include({ paused: false });
    expect(await desk(null).desk.resume(bert, NEVER)).to.equal(null);
  });
});

describe('pause and resume over the wire', () => {
  const { why, since } = anna();
  const later = { why, since: '2026-11-28T11:30:00.000Z' };
  async function post(asked: Desk, path: string, body: object): Promise<unknown> {
    const routes = controllerRoutes({ desk: asked, status: () => null } as unknown as Controller, { text: () => Promise.resolve('') });
    const request = { body: Buffer.from(JSON.stringify(body)), caller: null, signal: NEVER } as unknown as HttpRequest;
    const { status, json } = (await routes.find((one) => one.path === path)?.handle(request)) ?? { status: 404, json: null };
    return status === 400 ? (json as { readonly error: { readonly message: string } }).error.message : status;
  }

  it('name the pause that they are about', async () => {
    expect(await post(desk(anna()).desk, '/v1/pause', { ...ada, over: { why, since } })).to.equal(200);
    expect(await post(desk(anna()).desk, '/v1/pause', { ...ada, over: later })).to.equal(409);
    expect(await post(desk(anna()).desk, '/v1/resume', { of: { why, since } })).to.equal(200);
    expect(await post(desk(anna()).desk, '/v1/resume', { of: { why } })).to.equal(200);
    expect(await post(desk(anna()).desk, '/v1/resume', { of: later })).to.equal(409);
  });
  it('say of what they do not know that it is that, by which a newer program knows an older controller', async () => {
    for (const path of ['/v1/pause', '/v1/resume'])
      expect(await post(desk(anna()).desk, path, { newer: 1 })).to.match(/^body: Unrecognized key.*newer/);
  });
});
