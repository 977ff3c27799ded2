import path from 'node:path';
import { z } from 'zod';
import { fields } from '../../scenario/yaml-decode.ts';
import { serviceShapeIn } from '../own-service/service-shape.ts';
import type { OwnService } from '../platform.ts';
import { readSystem } from '../system-document.ts';

const name = z.string().min(1);
/** As deploy/Dockerfile makes it. */
export const PROBE_COMMAND = ['/nodejs/bin/node', '/app/dist/harness/platform/kubernetes/pod-probes/pod-probe-program.js'];
/** Below those that programs get for connections of their own. */
const PROBE_PORT = 8477;
const probes = fields({
  image: name,
  command: z.array(name).min(1, 'is empty; name node and the program').default(PROBE_COMMAND),
  port: z.number().int().min(1024).max(65535).default(PROBE_PORT),
});
/** What is put into pods of which nothing but the API server is known. */
export type ProbeSettings = z.infer<typeof probes>;

/** Of a description in this folder. */
const shapeIn = (folder: string) =>
  fields({
    kubeconfig: name,
    regions: z
      .record(name, fields({ context: name }))
      .refine((all) => Object.keys(all).length > 0, 'is empty; name each region with its context of the kubeconfig'),
    namespaces: z.array(name).min(1, 'is empty; name the namespaces that may be harmed'),
    lab: fields({ folder: name, controllersPerRegion: z.union([z.literal(1), z.literal(2)], { error: 'must be 1 or 2' }) }).optional(),
    service: serviceShapeIn(folder).optional(),
    probes: probes.optional(),
  })
    .refine(
      ({ service, probes: given }) => given === undefined || service !== undefined,
      'has `probes` without `service`: they look into the pods of your own service',
    )
    .refine(
      ({ lab, service }) => lab === undefined || service === undefined,
      "has `lab` and `service`: a lab has the engine's contract; leave one of them out",
    );

/**
 * What a game day is pointed at. It is also the list of what is allowed: no context and no namespace that is not named here is read or
 * touched.
 */
export interface SystemFile {
  readonly file: string;
  /** Absolute. */
  readonly kubeconfig: string;
  /** The context of each region; several regions may be in one cluster. */
  readonly regions: Readonly<Record<string, { readonly context: string }>>;
  readonly namespaces: readonly string[];
  /** A cluster without containers on this machine: its pods are network namespaces that the harness can look into. */
  readonly lab: { readonly folder: string; readonly controllersPerRegion: 1 | 2 } | undefined;
  /** What is in these clusters, where it has an API of its own. */
  readonly service: OwnService | undefined;
  /** Undefined: nothing is put into its pods, and what happens within them is not seen. */
  readonly probes: ProbeSettings | undefined;
}

/** Paths in it are relative to it. Throws HarnessError `bad-input` with every problem and its place. */
export function readSystemFile(file: string): SystemFile {
  const folder = path.dirname(file);
  const { kubeconfig, ...rest } = readSystem(file, shapeIn(folder));
  return {
    file,
    kubeconfig: path.resolve(folder, kubeconfig),
    regions: rest.regions,
    namespaces: rest.namespaces,
    lab: rest.lab,
    service: rest.service,
    probes: rest.probes,
  };
}
