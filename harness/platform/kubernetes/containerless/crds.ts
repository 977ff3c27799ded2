import { z } from 'zod';
import type { FaultKind } from '../../../fault/fault.ts';

type Schema = Readonly<Record<string, unknown>>;

export const CHAOS_API = 'chaos-mesh.org/v1alpha1';
const [GROUP, VERSION] = CHAOS_API.split('/') as [string, string];

/** The plural in paths: Chaos Mesh has one form for both. */
export const resourceOf = (kind: string): string => kind.toLowerCase();

/**
 * The definitions of Chaos Mesh's kinds, as far as this version decodes them, made from the very schemas that decode a manifest: a field or a
 * value that the harness refuses, the server refuses too. As in Chaos Mesh the status has no endpoint of its own. Pure.
 */
export function chaosDefinitions(kinds: readonly FaultKind[]): readonly Schema[] {
  return [...Map.groupBy(kinds, ({ kind }) => kind)].map(([kind, actions]) => definitionOf(kind, actions));
}

function definitionOf(kind: string, actions: readonly FaultKind[]): Schema {
  const plural = resourceOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: plural },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: merged(actions.map(({ schema }) => structural(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })))),
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        },
      ],
    },
  };
}

/** One kind with several actions: every field of any of them; required is what all require. */
function merged(schemas: readonly Schema[]): Schema {
  const [first = {}, ...others] = schemas;
  return others.reduce((one, other) => {
    const a = (one['properties'] ?? {}) as Record<string, Schema>;
    const b = (other['properties'] ?? {}) as Record<string, Schema>;
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    const properties = Object.fromEntries(names.map((name) => [name, eitherOf(a[name], b[name])]));
    const required = ((one['required'] ?? []) as string[]).filter((name) => ((other['required'] ?? []) as string[]).includes(name));
    return { ...one, properties, ...(required.length > 0 ? { required } : {}) };
  }, first);
}

function eitherOf(a: Schema | undefined, b: Schema | undefined): Schema {
  if (a === undefined || b === undefined) return a ?? b ?? {};
  const values = [a, b].map((one) => one['enum'] as readonly unknown[] | undefined);
  const [left, right] = values;
  if (left !== undefined && right !== undefined) return { ...a, enum: [...new Set([...left, ...right])] };
  return JSON.stringify(a) === JSON.stringify(b) ? a : looser(a, b);
}

/** The bounds of an action that is stricter than another are the decoder's to hold. */
function looser(a: Schema, b: Schema): Schema {
  const { minItems: _, ...rest } = a;
  return 'minItems' in b ? rest : { ...rest, ...('minItems' in a ? {} : a) };
}

/** Of JSON Schema what a structural schema may say; `default` goes, since the server would write it into what was applied. */
const KEPT = ['type', 'enum', 'minimum', 'maximum', 'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern', 'required'] as const;
/** Of ours: whole numbers beyond these are not exact in JSON, which says nothing about the field. */
const WHOLE_NUMBERS = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

function structural(schema: Schema): Schema {
  const kept: Record<string, unknown> = {};
  for (const key of KEPT) if (schema[key] !== undefined && !WHOLE_NUMBERS.includes(schema[key] as number)) kept[key] = schema[key];
  const { properties, items, additionalProperties, const: only } = schema;
  if (only !== undefined) kept['enum'] = [only];
  if (items !== undefined) kept['items'] = structural(items as Schema);
  if (properties !== undefined)
    kept['properties'] = Object.fromEntries(
      Object.entries(properties as Record<string, Schema>).map(([name, one]) => [name, structural(one)]),
    );
  else if (additionalProperties !== undefined && typeof additionalProperties === 'object')
    kept['additionalProperties'] = structural(additionalProperties as Schema);
  if (kept['type'] === undefined) return { 'x-kubernetes-preserve-unknown-fields': true };
  return kept;
}
