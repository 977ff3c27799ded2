import { readFileSync } from 'node:fs';
import { badInput, decodeDocument, readYaml, type YamlDocument } from '../scenario/yaml-decode.ts';
import { HarnessError } from './errors.ts';
import type { z } from 'zod';

/** The one document of a file that describes a system. Throws HarnessError `bad-input` with every problem and its place. */
export function readSystemDocument(file: string): YamlDocument {
  const { documents, problems } = readYaml(textOf(file), file);
  const [document, second] = documents;
  if (problems.length > 0) throw badInput(problems);
  if (document === undefined || second !== undefined) throw new HarnessError('bad-input', `${file}: must hold one document`);
  return document;
}

/** As readSystemDocument, decoded. */
export function readSystem<T>(file: string, shape: z.ZodType<T>): T {
  const decoded = decodeDocument(readSystemDocument(file), shape);
  if (!decoded.ok) throw badInput(decoded.problems);
  return decoded.value;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HarnessError('bad-input', `${file}: cannot be read; give the path of a description of the system`, error);
  }
}
