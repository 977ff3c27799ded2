import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, FaultPlan } from '../../../fault/fault.ts';
import { HarnessError } from '../../errors.ts';
import type { Injection, Pod, Primitive } from '../../platform.ts';
import type { KubeClient } from '../kube-client.ts';
import { PODS, resourcePath, type ChaosObject, type ChaosRecord } from '../kube-object.ts';
import { readExperiment } from './chaos-document.ts';
import {
  afterOperation,
  CLEAN_FINALIZER,
  conditionsOf,
  desiredPhase,
  FINALIZER,
  PAUSE,
  recordName,
  recordsOf,
  type Desired,
} from './chaos-status.ts';
import { resourceOf } from './crds.ts';

const RETRY_MS = 200;
const RECOVER_MS = 10_000;

export interface ExperimentEnv {
  readonly client: KubeClient;
  readonly kinds: readonly FaultKind[];
  /** id: unique in the cluster; experiment: what the object is called. */
  readonly injection: (id: string, primitives: readonly Primitive[], experiment: string) => Injection;
  readonly resolve: (hostName: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** For what chance decides; Chaos Mesh has no seed either. */
  readonly random: () => number;
  readonly note: (message: string) => void;
  readonly pods: () => readonly Pod[];
  readonly signal: AbortSignal;
}

interface Injected {
  readonly plan: FaultPlan;
  readonly injection: Injection;
}

/**
 * One object: brings its fault to where the object wants it (run, stop), says so in its status, and keeps it from vanishing with its
 * finalizer until the fault is taken back. One step at a time, from the newest state of the object that was seen.
 */
export class Experiment {
  readonly #env: ExperimentEnv;
  #object: ChaosObject | undefined;
  #durationMs: number | null = null;
  #injected: Injected | undefined;
  #records: readonly ChaosRecord[] = [];
  /** Selection happens once, as in Chaos Mesh. */
  #selection: FaultPlan | 'nothing' | undefined;
  #said = '';
  #working: Promise<void> | undefined;
  #again = false;

  constructor(env: ExperimentEnv) {
    this.#env = env;
  }

  onSeen(object: ChaosObject): void {
    this.#object = object;
    this.#work();
  }

  /** Time may have brought the end of its duration. */
  tick(): void {
    if (this.#object !== undefined && this.#injected !== undefined && this.#desired(this.#object) === 'Stop') this.#work();
  }

  /** Takes back what is injected, whatever the object says. */
  async close(): Promise<void> {
    await this.#working;
    await this.#injected?.injection.heal(AbortSignal.timeout(RECOVER_MS));
    this.#injected = undefined;
  }

  #desired(object: ChaosObject): Desired {
    return desiredPhase(object, this.#durationMs, Date.now());
  }

  #work(): void {
    this.#again = true;
    this.#working ??= this.#reconcile().finally(() => (this.#working = undefined));
  }

  async #reconcile(): Promise<void> {
    const { signal, note } = this.#env;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      const object = this.#object;
      if (object === undefined) return;
      try {
        await this.#step(object);
      } catch (error) {
        note(`${object.kind} ${object.metadata.name}: ${error instanceof Error ? error.message : String(error)}`);
        this.#again = true;
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #step(object: ChaosObject): Promise<void> {
    const { deletionTimestamp, annotations, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined && !finalizers.includes(FINALIZER)) {
      await this.#merge(object, { metadata: { finalizers: [...finalizers, FINALIZER] } });
    }
    if (this.#selection === undefined && deletionTimestamp === undefined) await this.#select(object);
    const desired = this.#desired(object);
    if (desired === 'Run' && this.#injected === undefined && typeof this.#selection === 'object') await this.#inject(this.#selection);
    if (desired === 'Stop' && this.#injected !== undefined) await this.#recover(this.#injected);
    if (deletionTimestamp === undefined) return await this.#say(object, desired);
    const forced = annotations?.[CLEAN_FINALIZER] === 'forced';
    if (this.#injected !== undefined && !forced) return;
    if (!forced) await this.#say(object, desired);
    await this.#merge(object, { metadata: { finalizers: finalizers.filter((one) => one !== FINALIZER) } });
  }

  async #select(object: ChaosObject): Promise<void> {
    const { kinds, pods, random, resolve, signal } = this.#env;
    const read = readExperiment(object, kinds);
    if (!read.ok) {
      this.#selection = 'nothing';
      return await this.#event(object, 'Warning', 'Failed', read.why);
    }
    this.#durationMs = read.fault.durationMs;
    const names = read.fault.hostNames.map(async (host) => [host, await resolve(host, signal)] as const);
    const addressesOf = Object.fromEntries(await Promise.all(names));
    const seen = pods();
    const planning = read.fault.plan({ pods: seen, seed: random(), addressesOf });
    if (planning.outcome === 'nothing-selected') {
      this.#selection = 'nothing';
      return await this.#event(object, 'Warning', 'Failed', `no pod is selected: ${planning.reason}`);
    }
    this.#selection = planning.plan;
    const podNamed = (name: string): Pod | undefined => seen.find((pod) => pod.name === name);
    const named = (name: string): string => {
      const pod = podNamed(name);
      return pod === undefined ? name : recordName(object.kind, read.fault.action, pod);
    };
    this.#records = recordsOf(planning.plan, (pod) => podNamed(pod)?.namespace ?? '', named);
  }

  async #inject(plan: FaultPlan): Promise<void> {
    const { injection: open, client, pods, signal } = this.#env;
    const uid = this.#object?.metadata.uid ?? '';
    const kills = plan.primitives.filter((one) => one.act === 'pod-kill');
    const injection = open(
      `chaos${uid.replaceAll('-', '')}`,
      plan.primitives.filter((one) => one.act !== 'pod-kill'),
      this.#object?.metadata.name ?? '',
    );
    const at = new Date().toISOString();
    try {
      this.#injected = { plan, injection }; // also what is half done is taken back
      await injection.apply(signal);
      // As Chaos Mesh does it: the object is deleted, and the cluster does the rest.
      const deletions = kills.flatMap(({ pods: names, graceMs }) =>
        names.map(async (name) => {
          const namespace = pods().find((pod) => pod.name === name)?.namespace;
          const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: Math.round(graceMs / 1000) };
          await client.must('DELETE', resourcePath(PODS, namespace, name), { body });
        }),
      );
      await Promise.all(deletions);
      this.#records = afterOperation(this.#records, { operation: 'Apply', ok: true, at });
      await this.#event(this.#object, 'Normal', 'Applied', `Successfully apply chaos for ${this.#ids()}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#records = afterOperation(this.#records, { operation: 'Apply', ok: false, at, message });
      await this.#event(this.#object, 'Warning', 'Failed', `Failed to apply chaos: ${message}`);
      this.#selection = 'nothing'; // it is said, and not tried again behind the back of whoever reads it
      await this.#injected?.injection.heal(AbortSignal.timeout(RECOVER_MS)).catch(() => undefined);
      this.#injected = undefined;
    }
  }

  async #recover({ injection }: Injected): Promise<void> {
    const at = new Date().toISOString();
    await injection.heal(AbortSignal.timeout(RECOVER_MS));
    this.#injected = undefined;
    this.#records = afterOperation(this.#records, { operation: 'Recover', ok: true, at });
    await this.#event(this.#object, 'Normal', 'Recovered', `Successfully recover chaos for ${this.#ids()}`);
  }

  #ids(): string {
    return this.#records.map(({ id }) => id).join(', ');
  }

  async #say(object: ChaosObject, desired: Desired): Promise<void> {
    const conditions = conditionsOf({
      selected: typeof this.#selection === 'object',
      injected: this.#injected !== undefined,
      paused: object.metadata.annotations?.[PAUSE] === 'true',
    });
    const status = { conditions, experiment: { desiredPhase: desired, containerRecords: this.#records } };
    const text = JSON.stringify(status);
    if (text === this.#said) return;
    await this.#merge(object, { status });
    this.#said = text;
  }

  async #merge(object: ChaosObject, patch: object): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    const path = resourcePath({ apiVersion: object.apiVersion, resource: resourceOf(object.kind) }, namespace, name);
    try {
      await this.#env.client.merge(path, { ...patch, metadata: { ...('metadata' in patch ? (patch.metadata as object) : {}), uid } });
    } catch (error) {
      if (error instanceof HarnessError && /: (404|409|422) /.test(error.message)) return; // gone, or another of the same name
      throw error;
    }
  }

  /** For people and for whoever measures: what happened and when. One that cannot be written is not worth a fault. */
  async #event(object: ChaosObject | undefined, type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> {
    if (object === undefined) return;
    const { name, namespace = 'default', uid } = object.metadata;
    const time = new Date().toISOString();
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, name, namespace, uid },
      eventTime: time.replace('Z', '000Z'),
      reportingComponent: 'coditect-dr/chaos',
      reportingInstance: 'lab',
      action: reason,
      type,
      reason,
      message: message.slice(0, 1000),
    };
    await this.#env.client
      .ask('POST', resourcePath({ apiVersion: 'v1', resource: 'events' }, namespace), { body: event })
      .catch(() => undefined);
  }
}
