import { Resolver } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { z } from 'zod';
import type { Question, Reply } from './loopback/ask.ts';
import { LoopbackSystem } from './loopback/system.ts';
import { SERVICE_NAME, type App } from '../platform/local/topology.ts';
import * as contract from '../engine/contract.ts';

const PRIMARY = 'us-central1';
const STANDBY = 'us-east1';
const CLIENT = `client-${PRIMARY}`;
const OPERATOR = 'operator';
const ENGINE_APPS = ['api', 'db', 'dr-controller'] as const;
const SETTLE_MS = 60_000;

/**
 * Holds an engine to the contract of ARCHITECTURE §3, as far as single answers show it: every route, role, exit code and log line. Whether it
 * keeps its promises under faults is what scenarios are for; an engine can pass this and be known-bad. `ownStart: false`: another engine that is held
 * to the contract reads the configuration for this one too, and five starts with a bad one tell nothing new.
 */
export function describeContract(
  name: string,
  engineMain: string,
  { ownStart }: { readonly ownStart: boolean } = { ownStart: true },
): void {
  describe(`engine contract: ${name}`, function () {
    this.timeout(120_000);
    let system: LoopbackSystem;

    before(async () => {
      system = await LoopbackSystem.start(engineMain, { replication: 'sync', policy: 'lab' });
      await eventually(async () => expect((await put('first', 'value')).status).to.equal(200));
    });
    after(async () => system?.stop());

    const api = (path: string, more: Partial<Question> = {}): Promise<Reply> => system.ask(system.pod('api', PRIMARY), path, CLIENT, more);
    const put = (key: string, body: string): Promise<Reply> => api(`/v1/kv/${key}`, { method: 'PUT', body });
    /** On a busy machine a primary may not be sure of its lease for a moment: it refuses then, and is asked again. */
    const written = (key: string, body: string): Promise<z.infer<typeof contract.writtenShape>> =>
      eventually(async () => decode(await put(key, body), 200, contract.writtenShape));
    const of = (app: App, path: string, as = OPERATOR, region = PRIMARY): Promise<Reply> => system.ask(system.pod(app, region), path, as);

    describe('the key-value routes', () => {
      it('acknowledges a write with region, epoch and a growing index', async () => {
        const first = await written('contract/one', 'één');
        const second = await written('contract/two', '');
        expect(first.region).to.equal(PRIMARY);
        expect(first.epoch).to.be.greaterThan(0);
        expect(second.index).to.be.greaterThan(first.index);
      });
      it('reads what was written, and says 404 for what is not there', async () => {
        await written('contract/read', 'zwölf 12');
        await eventually(async () =>
          expect(decode(await api('/v1/kv/contract/read'), 200, contract.foundShape).value).to.equal('zwölf 12'),
        );
        await eventually(async () =>
          expect(decode(await api('/v1/kv/contract/never'), 404, contract.absentShape).region).to.equal(PRIMARY),
        );
      });
      it('deletes', async () => {
        await written('contract/gone', 'soon');
        await eventually(async () => decode(await api('/v1/kv/contract/gone', { method: 'DELETE' }), 200, contract.writtenShape));
        await eventually(async () => decode(await api('/v1/kv/contract/gone'), 404, contract.absentShape));
      });
      it('takes 64 KiB and refuses more, with the promise that it is not applied', async () => {
        await written('contract/long', 'x'.repeat(contract.MAX_VALUE_BYTES));
        const refused = await put('contract/longer', 'x'.repeat(contract.MAX_VALUE_BYTES + 1));
        expect(refused.status).to.be.within(400, 499);
        expect(contract.failureShape.parse(JSON.parse(refused.text)).error.applied).to.equal('no');
        await eventually(async () => decode(await api('/v1/kv/contract/longer'), 404, contract.absentShape));
      });
      it('refuses reads and writes where the region is not primary, with the promise that nothing is applied', async () => {
        const standby = system.pod('api', STANDBY);
        const write = await system.ask(standby, '/v1/kv/contract/standby', CLIENT, { method: 'PUT', body: 'x' });
        expect(decode(write, 503, contract.failureShape).error).to.include({ code: 'not-primary', applied: 'no' });
        expect(decode(await system.ask(standby, '/v1/kv/first', CLIENT), 503, contract.failureShape).error.code).to.equal('not-primary');
      });
    });

    describe('what a region says of itself', () => {
      it('gives its own copy, sorted, on the primary and on a standby', async () => {
        await written('contract/export/b', '2');
        await written('contract/export/a', '1');
        for (const region of [PRIMARY, STANDBY]) {
          await eventually(async () => {
            const { head, entries } = contract.decodeExport((await system.ask(system.pod('api', region), '/v1/export', CLIENT)).text);
            expect(head.region).to.equal(region);
            expect(entries.get('contract/export/a')).to.equal('1');
            expect(entries.get('contract/export/b')).to.equal('2');
            expect([...entries.keys()]).to.deep.equal([...entries.keys()].sort());
          });
        }
      });
      it('has no divergent tail to show yet', async () => {
        expect(contract.decodeLines((await api('/v1/divergent')).text, contract.divergentFileShape)).to.deep.equal([]);
      });
      it('tells its health to anybody, certificate or not', async () => {
        await eventually(async () => {
          const health = decode(await api('/health', { anonymous: true }), 200, contract.healthShape);
          expect(health).to.include({ region: PRIMARY, status: 'Healthy' });
          expect(health.checks.map((check) => check.name)).to.include.members(['api', 'database', 'replication']);
        });
        for (const app of ['db', 'dr-controller'] as const) expect((await of(app, '/health')).status).to.equal(200);
      });
      it('tells the status of every database: one primary with both standbys in its set', async () => {
        await eventually(async () => {
          const answers = await Promise.all(system.topology.regions.map((region) => of('db', '/v1/status', OPERATOR, region)));
          const states = answers.map((answer) => decode(answer, 200, contract.databaseStatusShape));
          const [primary, ...others] = states.filter((state) => state.role === 'primary');
          expect(others).to.deep.equal([]);
          expect(primary).to.include({ region: PRIMARY, writable: true, mode: 'sync', w: 1 });
          expect(primary?.lease?.remainingMs).to.be.greaterThan(0);
          expect([...(primary?.syncSet ?? [])].sort()).to.deep.equal(['europe-west1', 'us-east1']);
          expect(Object.keys(primary?.standbys ?? {})).to.have.members(['europe-west1', 'us-east1']);
          expect(states.filter((state) => state.role === 'standby')).to.have.length(2);
        });
      });
      it('tells the status of every controller: one leader, everything normal', async () => {
        await eventually(async () => {
          const answers = await Promise.all(system.topology.regions.map((region) => of('dr-controller', '/v1/status', OPERATOR, region)));
          const states = answers.map((answer) => decode(answer, 200, contract.controllerStatusShape));
          expect(new Set(states.map((state) => state.leader)).size).to.equal(1);
          expect(states.map((state) => state.primary)).to.deep.equal([PRIMARY, PRIMARY, PRIMARY]);
          expect(states.map((state) => state.state)).to.deep.equal(['Normal', 'Normal', 'Normal']);
        });
      });
      it('speaks Prometheus', async () => {
        for (const app of ENGINE_APPS) {
          const { status, type, text } = await of(app, '/metrics');
          expect(status, app).to.equal(200);
          expect(type).to.match(/^text\/plain/);
          const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
          expect(samples.length).to.be.greaterThan(0);
          for (const sample of samples) expect(sample).to.match(/^[a-zA-Z_:][\w:]*(\{.*\})? (nan|[+-]?inf|[-+.\de]+)( \d+)?$/i);
        }
      });
      it('logs NDJSON with the fields of the contract, and says who leads and that it is writable', async () => {
        const pods = system.topology.pods.filter((pod) => (ENGINE_APPS as readonly App[]).includes(pod.app));
        await eventually(() => {
          const lines = pods.flatMap((pod) => contract.decodeLines(system.started(pod.name).stdout(), contract.logLineShape));
          expect(lines.map((line) => line.action)).to.include.members(['leader_elected', 'writable']);
          expect(lines.find((line) => line.action === 'writable')?.region).to.equal(PRIMARY);
          return Promise.resolve();
        });
      });
      it('makes the service name carry its epoch beside the address of the primary', async () => {
        const resolver = new Resolver();
        resolver.setServers([`${system.dns.host}:${system.dns.port}`]);
        await eventually(async () => {
          expect((await resolver.resolveTxt(SERVICE_NAME)).flat().join('')).to.match(/\d/);
          expect(await resolver.resolve4(SERVICE_NAME)).to.deep.equal([system.pod('api', PRIMARY).ipv4]);
        });
      });
    });

    describe('roles', () => {
      const forbidden: readonly (readonly [App, Question['method'], string, string])[] = [
        ['api', 'GET', '/v1/kv/first', `db-${STANDBY}`],
        ['api', 'PUT', '/v1/kv/first', `api-${STANDBY}`],
        ['api', 'GET', '/v1/export', `db-${STANDBY}`],
        ['db', 'GET', '/v1/status', CLIENT],
        ['db', 'PUT', '/v1/kv/first', CLIENT],
        ['db', 'POST', '/v1/append', OPERATOR],
        ['db', 'POST', '/v1/snapshot', `dr-controller-${STANDBY}`],
        ['db', 'POST', '/v1/seal', `db-${STANDBY}`],
        ['db', 'POST', '/v1/promote', OPERATOR],
        ['db', 'POST', '/v1/fence', `api-${PRIMARY}`],
        ['dr-controller', 'GET', '/v1/status', CLIENT],
        ['dr-controller', 'GET', '/v1/vote', OPERATOR],
        ['dr-controller', 'POST', '/v1/switchover', `dr-controller-${STANDBY}`],
      ];
      for (const [app, method = 'GET', path, as] of forbidden) {
        it(`${app} forbids ${method} ${path} to ${as}`, async () => {
          const body = method === 'GET' ? {} : { body: '{}' };
          const reply = await system.ask(system.pod(app, PRIMARY), path, as, { method, ...body });
          expect(decode(reply, 403, contract.failureShape).error.code).to.equal('forbidden');
        });
      }
      it('lets nobody without a certificate write', async () => {
        const reply = await api('/v1/kv/first', { method: 'PUT', body: 'x', anonymous: true });
        expect(reply.status).to.be.oneOf([401, 403]);
      });
      it('lets controllers see each other’s vote', async () => {
        expect((await of('dr-controller', '/v1/vote', `dr-controller-${STANDBY}`)).status).to.equal(200);
      });
    });

    if (ownStart)
      describe('exit codes', () => {
        for (const app of ENGINE_APPS) {
          it(`${app} ends with 2 and file:line:column when a field of the configuration is unknown`, async () => {
            const pod = system.pod(app, PRIMARY);
            const text = `${system.configText(pod)}no_such_field: 1\n`;
            const { code, stderr, file } = await system.runWithConfig(pod, text);
            expect(code, stderr).to.equal(contract.ENGINE_EXIT.badInput);
            expect(stderr).to.include(`${file}:${text.split('\n').length - 1}:1`);
          });
        }
        it('ends with 2 and file:line:column when a value is impossible', async () => {
          const pod = system.pod('db', PRIMARY);
          const text = system.configText(pod).replace('replication: sync', 'replication: sometimes');
          const line = text.split('\n').findIndex((one) => one.startsWith('replication:')) + 1;
          const { code, stderr, file } = await system.runWithConfig(pod, text);
          expect(code, stderr).to.equal(contract.ENGINE_EXIT.badInput);
          expect(stderr).to.include(`${file}:${line}:14`);
        });
        it('ends with 2 when it is not YAML', async () => {
          const { code, stderr, file } = await system.runWithConfig(system.pod('api', PRIMARY), 'region: [\n');
          expect(code, stderr).to.equal(contract.ENGINE_EXIT.badInput);
          expect(stderr).to.include(`${file}:`);
        });
      });

    describe('a switchover that the operator orders', () => {
      it('moves the primary, keeps what was acknowledged, and raises the epoch', async () => {
        const { epoch } = await written('contract/moved', 'along');
        await eventually(async () => {
          const copy = contract.decodeExport((await system.ask(system.pod('api', STANDBY), '/v1/export', CLIENT)).text);
          expect(copy.entries.get('contract/moved')).to.equal('along');
        });
        const body = JSON.stringify({ target: STANDBY });
        let ordered = false;
        await eventually(async () => {
          const replies = await Promise.all(
            system.topology.regions.map((region) =>
              system.ask(system.pod('dr-controller', region), '/v1/switchover', OPERATOR, { method: 'POST', body }),
            ),
          );
          const taken = replies.some((reply) => reply.status >= 200 && reply.status < 300);
          // An order that ran out of its time may have been carried out: the next one is a conflict then, and what follows tells.
          const carriedOut = ordered && replies.every((reply) => reply.status === 409);
          ordered = true;
          expect(taken || carriedOut, JSON.stringify(replies)).to.equal(true);
        });
        const standby = system.pod('api', STANDBY);
        await eventually(async () => {
          const reply = await system.ask(standby, '/v1/kv/contract/after', CLIENT, { method: 'PUT', body: 'x' });
          const written = decode(reply, 200, contract.writtenShape);
          expect(written.region).to.equal(STANDBY);
          expect(written.epoch).to.be.greaterThan(epoch);
        });
        await eventually(async () => {
          const found = decode(await system.ask(standby, '/v1/kv/contract/moved', CLIENT), 200, contract.foundShape);
          expect(found.value).to.equal('along');
        });
        await eventually(async () => {
          expect(decode(await of('db', '/v1/status'), 200, contract.databaseStatusShape).role).to.equal('standby');
        });
      });
    });

    describe('ending', () => {
      for (const app of ENGINE_APPS) {
        it(`${app} ends with 0 on SIGTERM`, async () => {
          expect(await system.terminate(`${app}-${STANDBY}`)).to.deep.equal({ code: contract.ENGINE_EXIT.ok, signal: null });
        });
      }
    });
  });
}

function decode<T>(reply: Reply, status: number, shape: z.ZodType<T>): T {
  expect(reply.status, reply.text).to.equal(status);
  expect(reply.type).to.match(/^application\/json/);
  return shape.parse(JSON.parse(reply.text));
}

/** Tries until it does not throw; what a system needs a moment for. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + SETTLE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await pause(100);
    }
  }
}
