import { ZodError } from 'zod';
import { EngineError } from '../platform/errors.ts';
import { RECORD_SHAPES, type CasResult, type Held, type RecordName, type Records } from './arbiter.ts';

/** One text for one value, whatever order its fields came in. */
export function encodeRecord<K extends RecordName>(name: K, value: Records[K]): string {
  return JSON.stringify(RECORD_SHAPES[name].parse(value));
}

/** Throws `internal` where the text is not a record of that name. */
export function decodeRecord<K extends RecordName>(name: K, text: string): Records[K] {
  try {
    // The table maps each name to the shape of its record; TypeScript cannot see that through the index.
    return RECORD_SHAPES[name].parse(JSON.parse(text)) as Records[K];
  } catch (cause) {
    throw new EngineError(
      'internal',
      `arbiter record ${name} is not what this version writes${whatIsWrong(cause)}; was it changed by hand or by another version?`,
      cause,
    );
  }
}

/** The field, and what is the matter with it. */
function whatIsWrong(cause: unknown): string {
  const issue = cause instanceof ZodError ? cause.issues[0] : undefined;
  return issue === undefined ? '' : ` (${[...issue.path, issue.message].join(': ')})`;
}

/** What a CAS of `text` amounts to that was refused because of `current`: the very same value was carried out by an earlier try, whose answer was lost. */
export function refusedBy<K extends RecordName>(name: K, current: Held<Records[K]>, text: string): CasResult<Records[K]> {
  if (encodeRecord(name, current.value) === text) return { ok: true, revision: current.revision };
  return { ok: false, reason: 'conflict', current };
}
