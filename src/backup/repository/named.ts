import { EngineError } from '../../platform/errors.ts';

/** A refusal that says which object it is about. */
export function named<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.message.startsWith(name)) throw error;
    throw new EngineError(error.code, `${name}: ${error.message}`, error);
  }
}
