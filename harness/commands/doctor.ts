import { HarnessError } from '../platform/errors.ts';
import { namesAddresses } from '../platform/addresses/addresses-file.ts';
import { needSystem } from '../platform/kubernetes/doctor.ts';
import { doctor, tell, type DoctorOptions } from '../platform/local/doctor.ts';
import { namesService, readServiceFile } from '../platform/own-service/service-shape.ts';
import { examineService } from '../workload/examine-service.ts';
import { doctorOfClusters } from './chaos.ts';

const LAB_MANIFESTS =
  '--manifest: is held against the pods of clusters, and --system names none; what a manifest would do in the lab `gameday chaos explain` tells';

interface Examined {
  readonly platform: 'local' | 'kubernetes';
  /** What is there already; it decides what is examined. */
  readonly system: string | undefined;
  readonly manifests: readonly string[];
}

/** `gameday doctor`: of this machine, of clusters, or of a service that is known by its URLs. Changes nothing. Throws HarnessError `bad-input`. */
export async function examine({ platform, system, manifests }: Examined, options: DoctorOptions): Promise<number> {
  if (system !== undefined && namesService(system)) {
    if (manifests.length > 0)
      throw new HarnessError(
        'bad-input',
        `--manifest: ${system} names a service and no clusters: it is measured only, and nothing can be injected`,
      );
    return tell(await examineService(system, readServiceFile(system)), 'A game day that measures', options);
  }
  if (system !== undefined && namesAddresses(system))
    throw new HarnessError('bad-input', `${system}: names addresses; of a system by its addresses nothing can be asked beforehand`);
  if (system !== undefined || platform === 'kubernetes') return await doctorOfClusters(needSystem(system), manifests, options);
  if (manifests.length > 0) throw new HarnessError('bad-input', LAB_MANIFESTS);
  return await doctor(options);
}
