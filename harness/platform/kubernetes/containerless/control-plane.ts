import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../../abortable.ts';
import { HarnessError } from '../../errors.ts';
import { KubeClient } from '../kube-client.ts';
import type { Binaries } from './binaries.ts';
import { kubeconfig, makeIdentities, type Client, type Identities } from './identities.ts';

const PORTS = { api: 6443, etcd: 12379, etcdPeer: 12380 } as const;
const POLL_MS = 50;
const STOP_MS = 3000;
const LAST_WORDS_CHARS = 2000;
/** As the kubelet brings back a part of the control plane that died. */
const RESTART_MS = 1000;
/** What a lab needs of the controller manager; the others cost CPU that the measured system needs. */
const CONTROLLERS = ['statefulset-controller', 'namespace-controller', 'garbage-collector-controller', 'node-lifecycle-controller'];

export interface ControlPlaneOptions {
  readonly binaries: Binaries;
  /** Where the API server listens: an address that the pods reach too, or loopback. */
  readonly host: string;
  /** Keys, kubeconfigs and etcd's data: on tmpfs, so that no secret outlives the lab and no disk is measured. */
  readonly folder: string;
  readonly logs: string;
  /** Names of contexts in every kubeconfig. */
  readonly contexts: readonly string[];
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
}

/**
 * The real control plane: etcd, kube-apiserver and kube-controller-manager with certificates of its own, and no container anywhere. A part that
 * dies is started again. Owner: whoever called start; close() ends all of it.
 */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #identities: Identities;
  readonly #running = new Map<string, Running>();
  #lastWords = '';

  private constructor(options: ControlPlaneOptions, identities: Identities) {
    this.#options = options;
    this.#identities = identities;
  }

  /** Resolves when the API server is ready. Throws HarnessError `cluster-failed` with what did not start. */
  static async start(options: ControlPlaneOptions, signal: AbortSignal): Promise<ControlPlane> {
    const plane = new ControlPlane(options, await makeIdentities([options.host, '127.0.0.1'], new Date()));
    try {
      await plane.#writeFiles();
      plane.#spawn('etcd', 'etcd', plane.#etcdFlags());
      await plane.startApiServer(signal);
      plane.#spawn('kube-controller-manager', options.binaries['kube-controller-manager'], plane.#managerFlags());
      return plane;
    } catch (error) {
      await plane.close();
      throw error;
    }
  }

  get server(): string {
    return `https://${this.#options.host}:${PORTS.api}`;
  }

  /** The authority of the cluster, and what the node agent shows to the API server. */
  get identities(): Identities {
    return this.#identities;
  }

  kubeconfigFile(client: Client): string {
    return path.join(this.#options.folder, `${client}.kubeconfig`);
  }

  /** The API server's process id; undefined when it does not run. */
  get apiServerPid(): number | undefined {
    return this.#running.get('kube-apiserver')?.child.pid;
  }

  /** After killApiServer as well; resolves when it says that it is ready. */
  async startApiServer(signal: AbortSignal): Promise<void> {
    const { binaries } = this.#options;
    const { exited } = this.#spawn('kube-apiserver', binaries['kube-apiserver'], this.#apiFlags());
    const client = await KubeClient.open(this.kubeconfigFile('cluster'), this.#options.contexts[0] ?? 'lab');
    const ready = (async () => {
      for (;;) {
        const answer = await client.ask('GET', '/readyz', { signal }).catch(() => undefined);
        if (answer?.status === 200) return 'ready' as const;
        await sleep(POLL_MS, undefined, { signal });
      }
    })();
    const ended = exited.then(() => 'ended' as const);
    if ((await abortable(Promise.race([ready, ended]), signal)) === 'ended')
      throw new HarnessError(
        'cluster-failed',
        `kube-apiserver ended: ${this.#lastWords.trim().split('\n').at(-1)}; see ${this.#options.logs}`,
      );
  }

  /** SIGKILL; resolves when it is gone. */
  async killApiServer(): Promise<void> {
    await this.#end('kube-apiserver', 'SIGKILL');
  }

  async close(): Promise<void> {
    await Promise.all(['kube-controller-manager', 'kube-apiserver'].map((name) => this.#end(name, 'SIGKILL')));
    await this.#end('etcd', 'SIGKILL');
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    running.child.kill(signal);
    await Promise.race([running.exited, sleep(STOP_MS, undefined, { ref: false })]);
    this.#running.delete(name);
  }

  async #writeFiles(): Promise<void> {
    const { folder, logs, contexts } = this.#options;
    const { caPem, server, clients } = this.#identities;
    await Promise.all([folder, logs].map((one) => mkdir(one, { recursive: true, mode: 0o700 })));
    const secret = { mode: 0o600 };
    const put = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text, secret);
    await Promise.all([
      put('ca.crt', caPem),
      put('server.crt', server.certPem),
      put('server.key', server.keyPem),
      put('apiserver.crt', clients.apiserver.certPem),
      put('apiserver.key', clients.apiserver.keyPem),
      ...(Object.keys(clients) as Client[]).map((client) =>
        put(`${client}.kubeconfig`, kubeconfig(this.#identities, client, this.server, contexts)),
      ),
    ]);
  }

  #spawn(name: string, program: string, flags: Readonly<Record<string, string>>): Running {
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: this.#options.folder },
    });
    const log = createWriteStream(path.join(this.#options.logs, `${name}.log`), { flags: 'a' });
    log.on('error', () => undefined); // evidence, not the cluster
    for (const stream of [child.stdout, child.stderr]) {
      stream.pipe(log, { end: false });
      stream.on('data', (text: Buffer) => (this.#lastWords = (this.#lastWords + text.toString('utf8')).slice(-LAST_WORDS_CHARS)));
    }
    const exited = new Promise<void>((resolve) => child.once('error', () => resolve()).once('exit', () => resolve()));
    const running = { child, exited };
    this.#running.set(name, running);
    void exited.then(async () => {
      await sleep(RESTART_MS, undefined, { ref: false });
      if (this.#running.get(name) === running) this.#spawn(name, program, flags);
    });
    return running;
  }

  #etcdFlags(): Readonly<Record<string, string>> {
    const url = (port: number): string => `http://127.0.0.1:${port}`;
    return {
      name: 'cluster',
      'data-dir': path.join(this.#options.folder, 'etcd'),
      'listen-client-urls': url(PORTS.etcd),
      'advertise-client-urls': url(PORTS.etcd),
      'listen-peer-urls': url(PORTS.etcdPeer),
      'initial-advertise-peer-urls': url(PORTS.etcdPeer),
      'initial-cluster': `cluster=${url(PORTS.etcdPeer)}`,
      logger: 'zap',
      'log-level': 'warn',
    };
  }

  #apiFlags(): Readonly<Record<string, string>> {
    const file = (name: string): string => path.join(this.#options.folder, name);
    return {
      'etcd-servers': `http://127.0.0.1:${PORTS.etcd}`,
      'bind-address': this.#options.host,
      'advertise-address': this.#options.host,
      'secure-port': String(PORTS.api),
      'tls-cert-file': file('server.crt'),
      'tls-private-key-file': file('server.key'),
      'client-ca-file': file('ca.crt'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': file('server.crt'),
      'service-account-signing-key-file': file('server.key'),
      'service-cluster-ip-range': '10.96.0.0/24',
      'authorization-mode': 'RBAC',
      // There is no cluster network in which its own endpoint could be found, and nobody who makes service accounts.
      'endpoint-reconciler-type': 'none',
      'disable-admission-plugins': 'ServiceAccount',
      'kubelet-client-certificate': file('apiserver.crt'),
      'kubelet-client-key': file('apiserver.key'),
      'kubelet-certificate-authority': file('ca.crt'),
      'kubelet-preferred-address-types': 'InternalIP',
      'enable-priority-and-fairness': 'false',
      profiling: 'false',
      v: '1',
    };
  }

  #managerFlags(): Readonly<Record<string, string>> {
    return {
      kubeconfig: this.kubeconfigFile('cluster'),
      controllers: CONTROLLERS.join(','),
      'leader-elect': 'false',
      'bind-address': '127.0.0.1',
      // By default 20 requests a second: the lab's pods would be made one after the other for seconds.
      'kube-api-qps': '500',
      'kube-api-burst': '500',
      profiling: 'false',
      v: '1',
    };
  }
}
