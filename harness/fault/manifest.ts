import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodeDocument, fields, readYaml } from '../scenario/yaml-decode.ts';
import type { Decoded, InputProblem, YamlDocument } from '../scenario/yaml-decode.ts';
import type { Fault, FaultHeader, FaultKind } from './fault.ts';
import { refusalOf } from './unsupported.ts';

export interface ManifestOptions {
  /** The kinds that can be planned: `faultKinds` of harness/registry.ts. */
  readonly kinds: readonly FaultKind[];
  /** Where an experiment without `metadata.namespace` lands, as the namespace of a kubectl context would decide. */
  readonly defaultNamespace: string;
}

/** Decodes every document of a Chaos Mesh manifest, or says everything that is wrong with all of them. */
export function decodeManifest(text: string, file: string, options: ManifestOptions): Decoded<readonly Fault[]> {
  const { documents, problems } = readYaml(text, file);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const found: InputProblem[] = [...problems];
  const faults: Fault[] = [];
  for (const document of documents) {
    const decoded = decodeExperiment(document, { sha256, options });
    if (!decoded.ok) found.push(...decoded.problems);
    else if (faults.some((other) => sameObject(other, decoded.value)))
      found.push(
        document.problem(
          ['metadata', 'name'],
          `a second ${decoded.value.kind} \`${decoded.value.name}\` would overwrite the first; rename it`,
        ),
      );
    else faults.push(decoded.value);
  }
  if (documents.length === 0 && found.length === 0)
    found.push({ file, line: 1, column: 1, path: '', message: 'the file holds no experiment' });
  return found.length > 0 ? { ok: false, problems: found } : { ok: true, value: faults };
}

const sameObject = (a: Fault, b: Fault): boolean => a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

const PAUSE = 'experiment.chaos-mesh.org/pause';
/** Has Chaos Mesh let an experiment go with its fault in place: whoever heals would be told that it is gone. */
const CLEAN_FINALIZER = 'chaos-mesh.chaos-mesh.org/cleanFinalizer';
const byCluster = (field: string): string => `\`${field}\` is written by a cluster; remove it`;
const dnsName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a DNS name: lower-case letters, digits, `-` and `.`')
  .max(253);
const textMap = z.record(z.string(), z.string({ error: 'must be text; put it in quotes' }));

const headerSchema = fields(
  {
    apiVersion: z.literal('chaos-mesh.org/v1alpha1', { error: 'must be chaos-mesh.org/v1alpha1' }),
    kind: z.string(),
    metadata: fields(
      {
        name: dnsName,
        namespace: dnsName.optional(),
        labels: textMap.optional(),
        annotations: textMap
          .refine((all) => all[PAUSE] !== 'true', { path: [PAUSE], error: 'a paused experiment injects nothing; remove the annotation' })
          .refine((all) => !Object.hasOwn(all, CLEAN_FINALIZER), {
            path: [CLEAN_FINALIZER],
            error: 'has Chaos Mesh drop the experiment without taking its fault back; remove the annotation',
          })
          .optional(),
      },
      {
        generateName: 'a fault needs a name that stays the same; write `name`',
        ...Object.fromEntries(
          [
            'creationTimestamp',
            'deletionTimestamp',
            'finalizers',
            'generation',
            'managedFields',
            'ownerReferences',
            'resourceVersion',
            'selfLink',
            'uid',
          ].map((field) => [field, byCluster(field)]),
        ),
      },
    ),
    /** Decoded by the kind. */
    spec: z.unknown().optional(),
  },
  { status: byCluster('status') },
);

function decodeExperiment(
  document: YamlDocument,
  { sha256, options }: { readonly sha256: string; readonly options: ManifestOptions },
): Decoded<Fault> {
  const header = decodeDocument(document, headerSchema);
  const problems = header.ok ? [] : [...header.problems];
  const kind = kindOf(document, options.kinds);
  if ('problem' in kind) return { ok: false, problems: kind.problem ? [...problems, kind.problem] : problems };
  // The spec is decoded also when the header is wrong, so that its problems are reported in the same go.
  const decoded = kind.found.decode(
    document,
    headerOf(document, { sha256, options, metadata: header.ok ? header.value.metadata : { name: '' } }),
  );
  if (header.ok && decoded.ok) return decoded;
  return { ok: false, problems: decoded.ok ? problems : [...problems, ...decoded.problems] };
}

function headerOf(
  document: YamlDocument,
  { sha256, options, metadata }: { sha256: string; options: ManifestOptions; metadata: { name: string; namespace?: string | undefined } },
): FaultHeader {
  const namespace = metadata.namespace ?? options.defaultNamespace;
  const notes = metadata.namespace === undefined ? [`no metadata.namespace: taken as \`${namespace}\`, as a kubectl context would`] : [];
  return { file: document.file, sha256, name: metadata.name, namespace, document: document.value, notes };
}

/** The kind and action written in the document, or what is wrong with them (undefined: reported elsewhere already). */
function kindOf(document: YamlDocument, kinds: readonly FaultKind[]): { found: FaultKind } | { problem: InputProblem | undefined } {
  const { kind, spec } = (document.value ?? {}) as { kind?: unknown; spec?: { action?: unknown } | null };
  if (typeof kind !== 'string') return { problem: undefined };
  const ofKind = kinds.filter((one) => one.kind === kind);
  if (ofKind.length === 0) return { problem: document.problem(['kind'], refusalOf(kind)) };
  if (typeof spec !== 'object' || spec === null)
    return { problem: document.problem(['spec'], '`spec` is missing; add it (a map with `action`)') };
  const action = spec.action;
  // Some kinds have no actions.
  const candidates = ofKind.filter((one) => one.action === action || one.action === '');
  const found =
    candidates.find((one) => one.takes?.(spec as Readonly<Record<string, unknown>>)) ?? candidates.find((one) => one.takes === undefined);
  if (found) return { found };
  const known = ofKind.map((one) => one.action).join(', ');
  if (action === undefined) return { problem: document.problem(['spec', 'action'], `\`action\` is missing; add it (one of ${known})`) };
  return {
    problem: document.problem(['spec', 'action'], refusalOf(kind, typeof action === 'string' ? action : JSON.stringify(action), known)),
  };
}
