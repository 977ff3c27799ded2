import type { z } from 'zod';
import { EngineError } from '../../platform/errors.ts';

/** A document that was read from a repository, of the shape that it is to have. @throws EngineError backup-damaged, in one line: which document, which field, and what is the matter with it */
export function checked<T>(name: string, document: unknown, shape: z.ZodType<T>): T {
  const result = shape.safeParse(document);
  if (result.success) return result.data;
  throw new EngineError('backup-damaged', `${name} refused: ${whatIsWrong(result.error)}`);
}

/** The first of what is wrong: its field, and what is the matter with it. */
export function whatIsWrong({ issues: [first] }: z.ZodError): string {
  return first === undefined ? 'of another shape' : [...(first.path.length > 0 ? [first.path.join('.')] : []), first.message].join(': ');
}
