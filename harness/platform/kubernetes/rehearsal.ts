import { HarnessError } from '../errors.ts';
import type { Experiment } from '../platform.ts';
import { namespacesOf } from './allowed.ts';
import { appliedDocument } from './applied.ts';
import type { Clusters } from './clusters.ts';
import { pathOf } from './experiment-watch.ts';
import { refusal } from './kube-client.ts';

/** Below these, and where a field is unknown to the schema (which server-side apply answers as its own failure), the cluster has judged the document. */
const SERVER_FAILED = 500;
const TOO_MANY = 429;
const NOT_IN_SCHEMA = /field not declared in schema/;

/**
 * Has the cluster say whether it would take an experiment as it would be applied (strict, dry run: schema, admission, rights), and changes nothing.
 * What admission makes of it may reach no further than what was written. Throws HarnessError: `bad-input` with the cluster's words, `cluster-failed` when it has none.
 */
export async function rehearse(experiment: Experiment, clusters: Clusters, run: string, signal: AbortSignal): Promise<void> {
  const { client, place } = clusters.placeOf(experiment);
  const { document } = appliedDocument(experiment, run);
  const { fault, kind, name } = experiment;
  const answer = await client.applyDry<unknown>(pathOf(place), document, signal);
  if (answer.status >= 300) {
    const refused = refusal(`dry run of ${pathOf(place)}`, answer);
    const judged = (answer.status < SERVER_FAILED && answer.status !== TOO_MANY) || NOT_IN_SCHEMA.test(refused.message);
    if (!judged) throw refused;
    throw new HarnessError('bad-input', `${fault}: the cluster of ${client.context} does not take ${kind} ${name}: ${refused.message}`);
  }
  const { namespace } = place;
  const written = namespacesOf({ namespace, document });
  const strangers = namespacesOf({ namespace, document: answer.body }).filter((one) => !written.includes(one));
  if (strangers.length > 0)
    throw new HarnessError(
      'bad-input',
      `${fault}: the cluster of ${client.context} would have ${kind} ${name} reach into ${strangers.join(', ')}`,
    );
}
