import { access, copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** In the sandbox's own /run: gone with it. */
const COPIES = '/run/gameday-bin';
const SERVERS = ['/usr/sbin/unbound', '/usr/sbin/knotd'] as const;

/**
 * Whether AppArmor may confine servers by their path on this machine (as Ubuntu does with unbound): they could then not read the files of a
 * lab.
 */
export async function appArmorActive(): Promise<boolean> {
  const enabled = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
  return enabled.trim() === 'Y';
}

/**
 * Paths to run the distribution's servers from, by name. Where AppArmor is active these are copies: its profiles are for the packaged service
 * at its own path, which we neither are nor disturb. Empty where there is no such need.
 */
export async function unconfinedServers(): Promise<Readonly<Record<string, string>>> {
  if (!(await appArmorActive())) return {};
  await mkdir(COPIES, { recursive: true });
  const copies = await Promise.all(
    SERVERS.map(async (server) => {
      const copy = path.join(COPIES, path.basename(server));
      const there = await access(copy).then(
        () => true,
        () => false,
      );
      if (!there) await copyFile(server, copy);
      return [path.basename(server), copy] as const;
    }),
  );
  return Object.fromEntries(copies);
}
