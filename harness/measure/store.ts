import type { StoreListed } from '../history/event.ts';

export type StoreLook = Pick<StoreListed, 'manifests' | 'records' | 'listed'>;

export interface Arrived {
  /** Backups that lie there at the end and not at the beginning, and that another machine, which has the keys, trusts. */
  readonly trusted: number;
  /** The others that came: why not. */
  readonly distrusted: readonly string[];
  /** New records of verifications that read all of a backup, by what they found. */
  readonly verified: number;
  readonly damaged: number;
  /** Backups that were there at some look and are not at the end. */
  readonly gone: number;
  /** Whether anybody but the harness, which has no keys, looked at the end. */
  readonly listed: boolean;
}

const WHOLE = /-[34]\.json$/;

/** What came into the store, and went, between the first of these looks at its disk and the last. Nothing that the makers of backups say of themselves counts. */
export function arrivedIn(looks: readonly StoreLook[]): Arrived {
  const first = looks[0] ?? { manifests: [] };
  const last = looks.at(-1) ?? first;
  const came = last.manifests.filter((name) => !first.manifests.includes(name));
  const problemOf = (name: string): string | null | undefined => last.listed?.[name.slice(name.lastIndexOf('/') + 1)];
  const before = first.records ?? {};
  const found = Object.entries(last.records ?? {}).flatMap(([name, ok]) => (Object.hasOwn(before, name) || !WHOLE.test(name) ? [] : [ok]));
  const ever = new Set(looks.flatMap(({ manifests }) => manifests));
  return {
    trusted: came.filter((name) => problemOf(name) === null).length,
    distrusted: came.flatMap((name) => {
      const problem = problemOf(name);
      return problem === null ? [] : [`${name}: ${problem ?? 'not listed'}`];
    }),
    verified: found.filter((ok) => ok).length,
    damaged: found.filter((ok) => !ok).length,
    gone: [...ever].filter((name) => !last.manifests.includes(name)).length,
    listed: last.listed !== undefined,
  };
}
