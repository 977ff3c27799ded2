import { isEngineError } from '../../platform/errors.ts';

/** The backup does not give what was backed up: an object is missing or not as it was written, or what was restored differs. All else says nothing of it: a store or a key service that does not answer, a disk that is full, an abort. */
export function isDamage(error: unknown): boolean {
  return isEngineError(error, 'backup-damaged', 'backup-differs');
}
