import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../errors.ts';
import { Chaos, type ChaosPart, type OwnedExperiment } from './chaos.ts';
import { ExperimentWatch, pathOf } from './experiment-watch.ts';
import { openEntries, writeUndone, type Entry } from './journal.ts';
import { labelValue, RUN_LABEL } from './applied.ts';
import { refusal } from './kube-client.ts';
import { isAbsent, untilServed } from './patience.ts';
import type { ChaosObject } from './kube-object.ts';

const HEAL_MS = 30_000;

/** One experiment that was found, and what became of it. */
export interface Healed {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly run: string;
  readonly how: 'label' | 'journal';
  /** Undefined: deleted, its fault taken back, its finalizers done. */
  readonly problem?: string;
}

type Found = OwnedExperiment & Pick<Healed, 'how'>;

/**
 * Takes back whatever game days have left in these clusters: experiments that carry their label, and those that an undo journal names although
 * somebody took the label off. Deletes each and waits until the cluster has recovered it and let it go. Idempotent.
 */
export async function healClusters(
  parts: readonly ChaosPart[],
  runFolders: readonly string[],
  signal: AbortSignal,
): Promise<readonly Healed[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HEAL_MS)]);
  const { chaos, owned } = await untilKnown(parts, limit);
  const labelled = owned.map((one): Found => ({ ...one, how: 'label' }));
  const { journals, unread } = readJournals(runFolders);
  const written = journals
    .flatMap(({ entry }) => inCluster(entry, parts, chaos))
    .filter((one) => !labelled.some((other) => same(one, other)));
  const unknown = journals.flatMap(({ entry }) => kindUnknown(entry, parts, chaos));
  const work = [...labelled.map((one) => heal(one, limit)), ...written.map((one) => healNamed(one, limit))];
  const healed = [...(await Promise.all(work)).flat(), ...unknown, ...unread];
  for (const { folder, entry } of journals) {
    const stuck = healed.some((one) => one.problem !== undefined && one.kind === entry.kind && one.name === entry.name);
    const looked = partOf(entry, parts) !== undefined; // else it is of another system
    if (looked && !stuck) writeUndone(folder, entry);
  }
  return healed;
}

/** One that cannot be read keeps nothing else from being taken back. */
function readJournals(runFolders: readonly string[]) {
  const journals: { readonly folder: string; readonly entry: Entry }[] = [];
  const unread: Healed[] = [];
  for (const folder of runFolders) {
    try {
      journals.push(...openEntries(folder).map((entry) => ({ folder, entry })));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      unread.push({ kind: 'whatever', namespace: '?', name: '?', run: path.basename(folder), how: 'journal', problem });
    }
  }
  return { journals, unread };
}

/** Who cannot ask for the kind cannot say that the experiment is gone. */
function kindUnknown(entry: Entry, parts: readonly ChaosPart[], chaos: Chaos): readonly Healed[] {
  const part = partOf(entry, parts);
  if (part === undefined || chaos.resourceOf(part.client, entry.kind) !== undefined) return [];
  const { kind, namespace, name, run } = entry;
  return [{ kind, namespace, name, run, how: 'journal', problem: `the cluster of ${entry.context} does not serve this kind` }];
}

const partOf = ({ context, namespace }: Entry, parts: readonly ChaosPart[]): ChaosPart | undefined =>
  parts.find((part) => part.client.context === context && part.namespace === namespace);

/** The API server may be on its way back; when it is not in time, what it said last is thrown. */
async function untilKnown(
  parts: readonly ChaosPart[],
  signal: AbortSignal,
): Promise<{ readonly chaos: Chaos; readonly owned: readonly OwnedExperiment[] }> {
  let last: unknown;
  for (;;) {
    try {
      const chaos = await Chaos.open(parts, signal);
      const without = parts.find(({ client }) => chaos.kindsOf(client).length === 0);
      if (without !== undefined)
        throw new HarnessError(
          'cluster-failed',
          `the cluster of ${without.client.context} serves no kind of Chaos Mesh: nobody can look for experiments`,
        );
      return { chaos, owned: await chaos.owned(undefined, signal) };
    } catch (error) {
      if (signal.aborted || !(error instanceof HarnessError)) throw last ?? error;
      last = error;
      await sleep(200, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function heal({ client, place, kind, name, run, how }: Found, signal: AbortSignal): Promise<Healed> {
  const told = { kind, namespace: place.namespace, name, run, how };
  const watch = new ExperimentWatch(client, place, () => undefined);
  try {
    const answer = await untilServed(() => client.ask('DELETE', pathOf(place), { signal }), signal);
    if (isAbsent(answer, name)) return told;
    if (answer.status >= 300) throw refusal(`DELETE ${pathOf(place)}`, answer);
    await watch.untilGone(signal);
    return told;
  } catch (error) {
    return { ...told, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await watch.close();
  }
}

function inCluster(entry: Entry, parts: readonly ChaosPart[], chaos: Chaos): readonly Found[] {
  const part = partOf(entry, parts);
  const resource = part === undefined ? undefined : chaos.resourceOf(part.client, entry.kind);
  if (part === undefined || resource === undefined) return [];
  const { apiVersion, kind, namespace, name, run } = entry;
  return [{ client: part.client, kind, name, run, how: 'journal', place: { apiVersion, resource, namespace, name } }];
}

/** What a journal names, where it is there and is of that run or of nobody: another run may use the name by now. Who cannot ask cannot say that it is gone. */
async function healNamed(one: Found, signal: AbortSignal): Promise<readonly Healed[]> {
  const { client, place, kind, name, run, how } = one;
  try {
    const answer = await untilServed(() => client.ask<ChaosObject>('GET', pathOf(place), { signal }), signal);
    if (isAbsent(answer, name)) return [];
    if (answer.status !== 200) throw refusal(`GET ${pathOf(place)}`, answer);
    const owner = answer.body.metadata.labels?.[RUN_LABEL];
    return owner === undefined || owner === labelValue(run) ? [await heal(one, signal)] : [];
  } catch (error) {
    return [{ kind, namespace: place.namespace, name, run, how, problem: error instanceof Error ? error.message : String(error) }];
  }
}

const same = (a: OwnedExperiment, b: OwnedExperiment): boolean =>
  a.client.server === b.client.server && a.kind === b.kind && a.place.namespace === b.place.namespace && a.name === b.name;
