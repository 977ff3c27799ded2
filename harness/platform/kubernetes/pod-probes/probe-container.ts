import type { ProbeSettings } from '../system-file.ts';
import type { ProbeOrder } from './probe-order.ts';

/** The user of the image's own programs. */
const USER = 65532;

/**
 * The patch that adds a probe to a pod, for its subresource `ephemeralcontainers`. It asks for nothing that a namespace under the Pod Security Standard `restricted` refuses. With the uid: a pod that
 * was made anew under this name has other addresses. Pure.
 */
export function probePatch(uid: string, name: string, { image, command }: ProbeSettings, order: ProbeOrder): object {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const container = { name, image, command, args: [JSON.stringify(order)], securityContext };
  return { metadata: { uid }, spec: { ephemeralContainers: [container] } };
}
