/** Of a file, as `stat` tells it. */
export interface FileAccess {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Of this process. */
export interface Identity {
  readonly uid: number;
  readonly groups: readonly number[];
}

export const ownIdentity = (): Identity => ({ uid: process.geteuid?.() ?? 0, groups: process.getgroups?.() ?? [] });

/**
 * Why others than this program could use a secret that lies in a file; null: nobody else. One's own file is for nobody else (0600). One of root's may be for a group of this process too (0640): so Kubernetes
 * mounts secrets, and whoever is neither root nor in that group gets nothing of it. The rule is PostgreSQL's. Pure.
 */
export function whoElseMayRead(file: FileAccess, self: Identity): string | null {
  const rootsForOurGroup = file.uid === 0 && self.uid !== 0 && self.groups.includes(file.gid);
  const forbidden = rootsForOurGroup ? 0o037 : 0o077;
  if ((file.mode & forbidden) === 0) return null;
  return `mode ${(file.mode & 0o777).toString(8)}: others may read it; chmod ${rootsForOurGroup ? '640' : '600'} it`;
}
