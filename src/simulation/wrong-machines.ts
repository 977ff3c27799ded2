import type { WrongMachine } from './wrong-machine.ts';
import { WRONG_CONTROLLERS } from './wrong-controllers.ts';
import { WRONG_DATABASES } from './wrong-databases.ts';

/** Mistakes that a simulator worth its name finds, each one line of the built engine, or two that keep the same promise. Those that the engine really had are among them. */
export const WRONG_MACHINES: readonly WrongMachine[] = [...WRONG_CONTROLLERS, ...WRONG_DATABASES];
