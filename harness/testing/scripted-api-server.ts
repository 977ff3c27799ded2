import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import path from 'node:path';
import { kubeconfig, type Client, type Identities } from '../platform/kubernetes/containerless/identities.ts';
import type { SystemFile } from '../platform/kubernetes/system-file.ts';

export interface ScriptedApiServer {
  /** The file, whose only context is `a`. */
  readonly kubeconfig: string;
  /** Somebody's system on it, as a file of one would describe it: region `a`, namespace `shop`. */
  readonly system: SystemFile;
  /** Open watches are cut. */
  close(): void;
}

interface Given {
  /** Where the kubeconfig is put. */
  readonly folder: string;
  readonly identities: Identities;
  readonly user: Client;
}

/** An API server on loopback that answers by a script: what a real one does in a bad moment only. The owner calls `close`. */
export async function scriptedApiServer({ folder, identities, user }: Given, answer: RequestListener): Promise<ScriptedApiServer> {
  const server = createServer({ cert: identities.server.certPem, key: identities.server.keyPem }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const file = path.join(folder, `kubeconfig-${port}`);
  writeFileSync(file, kubeconfig(identities, user, `https://127.0.0.1:${port}`, ['a']));
  return {
    kubeconfig: file,
    system: {
      file,
      kubeconfig: file,
      regions: { a: { context: 'a' } },
      namespaces: ['shop'],
      lab: undefined,
      service: undefined,
      probes: undefined,
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
