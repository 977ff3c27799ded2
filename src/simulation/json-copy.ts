/**
 * What comes back of a value that goes over a wire or onto a disk as JSON. Most values are plain and are copied field by field, which takes a fraction of the time of writing and reading text; anything else
 * (a field that is undefined, a number that JSON does not have, an object with a class) goes through the text.
 */
export function jsonCopy(value: unknown): unknown {
  const copy = plainCopy(value);
  return copy === NOT_PLAIN ? JSON.parse(JSON.stringify(value)) : copy;
}

const NOT_PLAIN = Symbol('not plain');

function plainCopy(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  // JSON has no negative zero.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : NOT_PLAIN;
  if (typeof value !== 'object') return NOT_PLAIN;
  return Array.isArray(value) ? arrayCopy(value) : objectCopy(value as Record<string, unknown>);
}

function arrayCopy(values: readonly unknown[]): unknown {
  const copy: unknown[] = [];
  for (const value of values) {
    const field = plainCopy(value);
    if (field === NOT_PLAIN) return NOT_PLAIN;
    copy.push(field);
  }
  return copy;
}

function objectCopy(value: Record<string, unknown>): unknown {
  if (Object.getPrototypeOf(value) !== Object.prototype || typeof value['toJSON'] === 'function') return NOT_PLAIN;
  // All at once, with the shape of the original.
  const copy = { ...value };
  for (const name in copy) {
    const field = copy[name];
    if (typeof field === 'string' || typeof field === 'boolean' || field === null) continue;
    const fieldCopy = plainCopy(field);
    if (fieldCopy === NOT_PLAIN) return NOT_PLAIN;
    if (fieldCopy !== field || fieldCopy === 0) copy[name] = fieldCopy;
  }
  return copy;
}
