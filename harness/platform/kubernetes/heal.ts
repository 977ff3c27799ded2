import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../errors.ts';
import { Chaos, type ChaosPart, type OwnedExperiment } from './chaos.ts';
import { ExperimentWatch, pathOf } from './experiment-watch.ts';
import { openEntries, writeUndone, type Entry } from './journal.ts';
import { labelValue, RUN_LABEL } from './applied.ts';
import { refusal } from './kube-client.ts';
import { untilServed } from './patience.ts';
import type { ChaosObject } from './kube-object.ts';

const HEAL_MS = 30_000;
const NOT_FOUND = 404;

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
  const journals = runFolders.flatMap((folder) => openEntries(folder).map((entry) => ({ folder, entry })));
  const written = journals
    .flatMap(({ entry }) => inCluster(entry, parts, chaos))
    .filter((one) => !labelled.some((other) => same(one, other)));
  const found = [...labelled, ...(await existing(written, limit))];
  const healed = await Promise.all(found.map((one) => heal(one, limit)));
  for (const { folder, entry } of journals) {
    const stuck = healed.some((one) => one.problem !== undefined && one.kind === entry.kind && one.name === entry.name);
    if (!stuck) writeUndone(folder, entry);
  }
  return healed;
}

/** The API server may be on its way back; when it is not in time, what it said last is thrown. */
async function untilKnown(
  parts: readonly ChaosPart[],
  signal: AbortSignal,
): Promise<{ readonly chaos: Chaos; readonly owned: readonly OwnedExperiment[] }> {
  let last: unknown;
  for (;;) {
    try {
      const chaos = await Chaos.open(parts, signal);
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
    if (answer.status === NOT_FOUND) return told;
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
  const part = parts.find(({ client, namespace }) => client.context === entry.context && namespace === entry.namespace);
  const resource = part === undefined ? undefined : chaos.resourceOf(part.client, entry.kind);
  if (part === undefined || resource === undefined) return [];
  const { apiVersion, kind, namespace, name, run } = entry;
  return [{ client: part.client, kind, name, run, how: 'journal', place: { apiVersion, resource, namespace, name } }];
}

/** Of what a journal names: what is there, and is of that run or of nobody. Another run may use the name by now. */
async function existing(written: readonly Found[], signal: AbortSignal): Promise<readonly Found[]> {
  const looked = written.map(async (one) => {
    const answer = await one.client.ask<ChaosObject>('GET', pathOf(one.place), { signal });
    if (answer.status !== 200) return [];
    const owner = answer.body.metadata.labels?.[RUN_LABEL];
    return owner === undefined || owner === labelValue(one.run) ? [one] : [];
  });
  return (await Promise.all(looked)).flat();
}

const same = (a: OwnedExperiment, b: OwnedExperiment): boolean =>
  a.client.server === b.client.server && a.kind === b.kind && a.place.namespace === b.place.namespace && a.name === b.name;
