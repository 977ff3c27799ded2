export interface FoundationdbPlace {
  readonly clusterFile: string;
  /** null: the system's loader finds it. */
  readonly library: string | null;
}

/** Section `database` of programs that use that cluster; `dataCenters`: of each region. */
export function foundationdbConfig({ clusterFile, library }: FoundationdbPlace, dataCenters: Readonly<Record<string, string>>): object {
  return {
    kind: 'foundationdb',
    experimental: true,
    cluster_file: clusterFile,
    data_centers: dataCenters,
    ...(library === null ? {} : { client_library: library }),
  };
}
