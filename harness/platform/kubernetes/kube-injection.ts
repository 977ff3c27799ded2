import { HarnessError } from '../errors.ts';
import type { Experiment, Injection, RunContext } from '../platform.ts';
import { appliedDocument, labelValue, RUN_LABEL } from './applied.ts';
import type { Clusters } from './clusters.ts';
import { ExperimentWatch, pathOf, type Place } from './experiment-watch.ts';
import { writeUndo, writeUndone, type Entry } from './journal.ts';
import { refusal, type KubeClient } from './kube-client.ts';
import { condition, type ChaosObject } from './kube-object.ts';
import { isAbsent, untilServed } from './patience.ts';
import { differences, endedAs, recordsOf } from './records.ts';
import { rehearse } from './rehearsal.ts';

/** How long the cluster may take to inject. */
const INJECT_MS = 20_000;
const TAKE_BACK_MS = 10_000;
/** What is there is another object than the one that is to be deleted. */
const CONFLICT = 409;

interface Applied {
  readonly experiment: Experiment;
  readonly client: KubeClient;
  readonly place: Place;
  readonly entry: Entry;
  readonly watch: ExperimentWatch;
}

/** A fault's experiments as objects of clusters: written down, applied, injected, deleted, gone. */
export class KubeInjection implements Injection {
  readonly #experiments: readonly Experiment[];
  readonly #clusters: Clusters;
  readonly #context: RunContext;
  readonly #run: string;
  #applied: Applied[] = [];
  /** Of those that were injected: how they ended by themselves, as far as it was told. */
  readonly #injected = new Map<Experiment, string | undefined>();
  /** Of those that the cluster has taken: which object is theirs. */
  readonly #uids = new Map<Experiment, string>();
  #healing = false;

  constructor(experiments: readonly Experiment[], clusters: Clusters, context: RunContext, run: string) {
    this.#experiments = experiments;
    this.#clusters = clusters;
    this.#context = context;
    this.#run = run;
  }

  /** Acknowledged is when the last experiment was seen AllInjected on the pods that were asked for, and no others. */
  async apply(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }> {
    signal.throwIfAborted();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(INJECT_MS)]);
    // Nothing of a step is applied where the cluster would not take all of it.
    for (const one of this.#experiments.filter(({ opaque }) => opaque)) await rehearse(one, this.#clusters, this.#run, limit);
    const requestedMs = this.#context.nowMs();
    const results = await Promise.allSettled(this.#experiments.map((experiment) => this.#apply(experiment, limit)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw await this.#takenBack(failed.reason);
    return { requestedMs, acknowledgedMs: this.#context.nowMs() };
  }

  /** Resolves when every experiment was seen recovered and gone. Throws HarnessError that names each that was not. */
  async heal(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }> {
    this.#healing = true;
    const requestedMs = this.#context.nowMs();
    const results = await Promise.allSettled(this.#applied.map((one) => this.#delete(one, signal)));
    this.#applied = this.#applied.filter((_, index) => results[index]?.status === 'rejected');
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (reasons.length > 0) {
      const what = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ');
      throw new HarnessError('cluster-failed', `not taken back, see gameday chaos heal: ${what}`, new AggregateError(reasons));
    }
    return { requestedMs, acknowledgedMs: this.#context.nowMs() };
  }

  /** Follows nothing any more, also what could not be healed. */
  async close(): Promise<void> {
    await Promise.all(this.#applied.map(({ watch }) => watch.close()));
  }

  async #takenBack(reason: unknown): Promise<HarnessError> {
    const why = reason instanceof Error ? reason.message : String(reason);
    const healed = await this.heal(AbortSignal.timeout(TAKE_BACK_MS)).then(() => 'and was taken back', String);
    return new HarnessError('cluster-failed', `the fault could not be injected (${why}) ${healed}`, reason);
  }

  async #apply(experiment: Experiment, signal: AbortSignal): Promise<void> {
    const { client, place } = this.#clusters.placeOf(experiment);
    const { document, notes } = appliedDocument(experiment, this.#run);
    for (const note of notes) this.#note(experiment, note);
    await refuseOther(client, place, this.#run, signal);
    const { apiVersion, kind } = document;
    const entry = { context: client.context, apiVersion, kind, namespace: place.namespace, name: place.name, run: labelValue(this.#run) };
    writeUndo(this.#context.runFolder, entry);
    const watch = new ExperimentWatch(client, place, (object, isGone) => this.#onChange(experiment, object, isGone));
    this.#applied.push({ experiment, client, place, entry, watch });
    const requestedMs = this.#context.nowMs();
    const { metadata } = await client.apply<ChaosObject>(pathOf(place), document, signal);
    if (metadata.uid !== undefined) this.#uids.set(experiment, metadata.uid);
    const object = await watch.untilInjected(signal);
    this.#compare(experiment, object);
    this.#injected.set(experiment, undefined);
    const seenMs = this.#context.nowMs() - requestedMs;
    this.#note(experiment, `AllInjected was seen ${seenMs.toFixed(0)} ms after the request; ${ownTimes(object)}`);
  }

  /** The cluster selects by itself: what it has hit must be what was planned, or the probes would look elsewhere. */
  #compare(experiment: Experiment, object: ChaosObject): void {
    const differs = differences(experiment, recordsOf(object));
    if (differs.length > 0)
      throw new HarnessError(
        'cluster-failed',
        `${experiment.fault}: the cluster selected other pods than planned; they differ in ${differs.join(', ')}`,
      );
  }

  async #delete({ experiment, client, place, entry, watch }: Applied, signal: AbortSignal): Promise<void> {
    const uid = this.#uids.get(experiment);
    const only = uid === undefined ? {} : { body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } } };
    const answer = await untilServed(() => client.ask('DELETE', pathOf(place), { ...only, signal }), signal);
    if (answer.status === CONFLICT)
      this.#note(experiment, 'an experiment of that name is there that is not of this run, and is left alone');
    else if (!isAbsent(answer, place.name)) {
      if (answer.status >= 300) throw refusal(`DELETE ${pathOf(place)}`, answer);
      if (watch.object === undefined) await untilGoneNow(client, place, signal);
      else await watch.untilGone(signal);
    }
    const last = watch.object;
    if (last !== undefined && !condition(last, 'AllRecovered'))
      this.#note(experiment, 'it was gone before anybody saw it AllRecovered; the probes tell whether it is');
    writeUndone(this.#context.runFolder, entry);
    await watch.close();
  }

  /** While it should last: who pauses, ends or deletes it is told, once each. The probes' record decides what that means. */
  #onChange(experiment: Experiment, object: ChaosObject, isGone: boolean): void {
    if (this.#healing || !this.#injected.has(experiment)) return;
    const ended = endedAs(object, isGone);
    if (ended === this.#injected.get(experiment)) return;
    this.#injected.set(experiment, ended);
    this.#note(
      experiment,
      ended === undefined ? 'the cluster says that it is injected again' : `the cluster says that ${ended}, although it was not healed`,
    );
  }

  #note({ fault }: Experiment, what: string): void {
    this.#context.record({ kind: 'note', message: `${fault}: ${what}` });
  }
}

/** By a look that begins now: one that began before the experiment was there, and has not seen it yet, would take that for its being gone. */
async function untilGoneNow(client: KubeClient, place: Place, signal: AbortSignal): Promise<void> {
  const watch = new ExperimentWatch(client, place, () => undefined);
  try {
    await watch.untilGone(signal);
  } finally {
    await watch.close();
  }
}

/** Somebody else's experiment of that name would be changed, and deleted later; of one of this run, it would be said that it is injected, which it was before. */
async function refuseOther(client: KubeClient, place: Place, run: string, signal: AbortSignal): Promise<void> {
  const answer = await client.ask<ChaosObject>('GET', pathOf(place), { signal });
  if (isAbsent(answer, place.name)) return;
  if (answer.status !== 200) throw refusal(`GET ${pathOf(place)}`, answer);
  const own = answer.body.metadata.labels?.[RUN_LABEL] === labelValue(run);
  const what = own ? 'from another step of this run; heal that first' : 'and not from this run; delete it, or gameday chaos heal';
  throw new HarnessError('cluster-failed', `${place.resource} ${place.name} is there already, ${what}`);
}

/** What the object itself says of its times, whose resolution is a second in most clusters. */
function ownTimes(object: ChaosObject): string {
  const applied = recordsOf(object).flatMap(({ events = [] }) =>
    events.filter(({ operation, type }) => operation === 'Apply' && type === 'Succeeded').map(({ timestamp }) => timestamp),
  );
  return `the object says: created ${object.metadata.creationTimestamp ?? '?'}, applied ${applied.toSorted().at(-1) ?? '?'}`;
}
