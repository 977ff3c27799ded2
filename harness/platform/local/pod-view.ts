import { inNetns } from './netns.ts';
import { POD_ROOT } from './services.ts';
import type { PodSpec } from './topology.ts';

/** Where the runner keeps the pods' folders (configuration, keys): on the sandbox's tmpfs, so that no secret outlives the lab. */
export const PODS_FOLDER = '/run/lab/pods';

export interface PodPlace {
  readonly pod: PodSpec;
  /** The pod's own folder as the runner sees it. */
  readonly root: string;
  /** On disk: what the pod's program keeps durably. Seen by the pod as `data`. */
  readonly data: string;
  /** A folder that several pods share, and where they see it below their own; undefined: none. */
  readonly shared?: { readonly folder: string; readonly at: string } | undefined;
  /** The whole run folder: hidden from pods, whose neighbours' data is in it. */
  readonly runFolder: string;
}

/**
 * $1 root, $2 data, $3 run folder, $4 a shared folder (or nothing) and $5 where it is seen, then the command. The pod sees its own folder and data, and nobody else's; its resolver is its region's
 * (kept as it is where /etc/resolv.conf is no file that could be replaced).
 */
const VIEW = `set -e
mount --bind "$1" ${POD_ROOT}
mount --bind "$2" ${POD_ROOT}/data
[ -z "$4" ] || mount --bind "$4" "${POD_ROOT}/$5"
mount --bind ${POD_ROOT}/resolv.conf /etc/resolv.conf 2>/dev/null || :
mount -t tmpfs -o size=4k,mode=0755 tmpfs /run/lab
mount -t tmpfs -o size=4k,mode=0755 tmpfs "$3"
cd ${POD_ROOT}
shift 5
exec "$@"`;

/**
 * The command that runs `command` in a pod: its network namespace, its own mounts. Every link execs the next, so that the PID of the started
 * process is the program's own. Pure.
 */
export function inPod(place: PodPlace, command: readonly string[]): readonly [string, ...string[]] {
  const { folder = '', at = '' } = place.shared ?? {};
  const view = ['sh', '-c', VIEW, place.pod.name, place.root, place.data, place.runFolder, folder, at, ...command];
  return inNetns(place.pod.netns, ['unshare', '--mount', '--', ...view]);
}
