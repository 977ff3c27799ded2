import pc from 'picocolors';
import { EXIT } from '../errors.ts';
import { probeFeatures, type Feature } from './features.ts';

export interface DoctorOptions {
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/**
 * `gameday doctor`: says what this machine can do for a local lab, and how to mend what it cannot. Returns the exit code: 0 when a lab can run,
 * else 1.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  return tell(await probeFeatures(), 'A local lab', options);
}

/** Writes what was found; the exit code: 0 when nothing that is required is missing. */
export function tell(features: readonly Feature[], what: string, { json, write }: DoctorOptions): number {
  write(json ? `${JSON.stringify({ ready: isReady(features), features }, undefined, 2)}\n` : doctorTable(features, what));
  return isReady(features) ? EXIT.pass : EXIT.fail;
}

/** Whether nothing that a lab needs is missing. Pure. */
export function isReady(features: readonly Feature[]): boolean {
  return features.every((feature) => feature.has === true || !feature.required);
}

/** The table for people: each feature, what it is for, and below a missing one why and the fix. Pure. */
export function doctorTable(features: readonly Feature[], what = 'A local lab'): string {
  const width = Math.max(...features.map((feature) => feature.name.length));
  const versions = Math.max(...features.map((feature) => feature.version?.length ?? 0));
  const lines = features.flatMap((feature) => {
    const mark = feature.has === true ? pc.green('yes') : feature.required ? pc.red('NO ') : pc.yellow('no ');
    const line = `${mark}  ${feature.name.padEnd(width)}  ${(feature.version ?? '').padEnd(versions)}  ${feature.usedFor}`;
    return feature.has === true ? [line] : [line, `       ${feature.has}`, `       fix: ${feature.fix}`];
  });
  const missing = features.filter((feature) => feature.has !== true && feature.required).map((feature) => feature.name);
  const sum = missing.length === 0 ? `${what} can run here.` : `${what} cannot run here without: ${missing.join(', ')}.`;
  return `${[...lines, '', sum].join('\n')}\n`;
}
