import type { Fault } from '../../fault/fault.ts';
import type { SystemFile } from './system-file.ts';

interface Selector {
  readonly namespaces?: readonly string[];
  readonly pods?: Readonly<Record<string, unknown>>;
}

/** Every namespace that an experiment lies in, may select in, or reads a secret of. A selector that names none selects in the experiment's own. Pure. */
export function namespacesOf({ namespace, document }: Pick<Fault, 'namespace' | 'document'>): readonly string[] {
  const spec = ((document as { spec?: unknown } | null)?.spec ?? {}) as {
    selector?: Selector;
    target?: { selector?: Selector };
    tls?: { secretNamespace?: string };
  };
  const named = [spec.selector, spec.target?.selector].flatMap((one) => [...(one?.namespaces ?? []), ...Object.keys(one?.pods ?? {})]);
  const secrets = spec.tls?.secretNamespace === undefined ? [] : [spec.tls.secretNamespace];
  return [...new Set([namespace, ...named, ...secrets])];
}

/** What of these experiments would touch a namespace that the system's file does not name; empty when nothing would. Pure. */
export function notAllowed(faults: readonly Fault[], system: Pick<SystemFile, 'file' | 'namespaces'>): readonly string[] {
  return faults.flatMap((fault) => {
    const strangers = namespacesOf(fault).filter((one) => !system.namespaces.includes(one));
    if (strangers.length === 0) return [];
    const allowed = system.namespaces.join(', ');
    return [`${fault.file}: ${fault.kind} ${fault.name} reaches into ${strangers.join(', ')}; ${system.file} allows ${allowed}`];
  });
}
