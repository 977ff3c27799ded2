import type { EngineConfig } from '../config/config.ts';
import { EngineError } from '../platform/errors.ts';
import type { World } from './world.ts';

/** Where an order's steps are shown. */
export type Shown = World & { readonly json: boolean };
export type Tell = (step: string, text: string, details?: Readonly<Record<string, unknown>>) => void;

/** A line a step, or one JSON document each. */
export function tellSteps(world: Shown): Tell {
  return (step, text, details = {}) =>
    world.out(world.json ? `${JSON.stringify({ step, message: text, ...details })}\n` : `${step.padEnd(16)} ${text}\n`);
}

/** @param named how the caller was given it, such as `--target`. @throws EngineError bad-request where the system has no such region */
export function needRegion({ regions }: EngineConfig, named: string, region: string): void {
  if (!Object.hasOwn(regions, region))
    throw new EngineError('bad-request', `${named}: ${region} is not a region; there are ${Object.keys(regions).join(', ')}`);
}
