import type { ControllerStatus } from '../health/controller-status.ts';
import type { Workload } from './config.ts';

export const ROLE = 'dr.coditect.com/role';
export const EPOCH = 'dr.coditect.com/epoch';

export interface DeploymentView {
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** The rollout that was asked for last is what the status speaks of. */
  readonly observed: boolean;
  readonly readyReplicas: number;
}

export interface Wanted {
  readonly role: 'primary' | 'standby';
  readonly epoch: number;
}

/**
 * What this region is to be, or null while it is not known. It is sized as a primary as soon as a run is about to make it one, so that the capacity is there when
 * the name moves; and it is no primary any more only when another region is.
 */
export function wantedOf(region: string, { primary, epoch, run }: Pick<ControllerStatus, 'primary' | 'epoch' | 'run'>): Wanted | null {
  if (run?.to === region || run?.target === region) return { role: 'primary', epoch };
  if (primary === null || epoch < 1) return null;
  return { role: primary === region ? 'primary' : 'standby', epoch };
}

export type WorkloadMove =
  | { readonly move: 'patch'; readonly annotations: Readonly<Record<string, string>>; readonly replicas: number }
  /** As wanted, and so many are not ready yet. */
  | { readonly move: 'wait'; readonly missing: number }
  | { readonly move: 'none' }
  /** A later epoch has written it: what we know is old. */
  | { readonly move: 'passed'; readonly epoch: number };

export function planWorkload(view: DeploymentView, workload: Workload, { role, epoch }: Wanted): WorkloadMove {
  const written = Number(view.annotations[EPOCH] ?? 0);
  if (written > epoch) return { move: 'passed', epoch: written };
  const replicas = role === 'primary' ? workload.primary_replicas : workload.standby_replicas;
  if (view.annotations[ROLE] !== role || written !== epoch || view.replicas !== replicas) {
    return { move: 'patch', annotations: { [ROLE]: role, [EPOCH]: String(epoch) }, replicas };
  }
  const missing = view.observed ? Math.max(0, replicas - view.readyReplicas) : replicas;
  return missing === 0 ? { move: 'none' } : { move: 'wait', missing };
}
