import { HarnessError } from '../platform/errors.ts';
import type { Pod } from '../platform/platform.ts';

/** Where the engine's programs listen (ARCHITECTURE §2). */
export const ENGINE_PORTS = { api: 8443, db: 7443, 'dr-controller': 9443 } as const;
export type EngineProgram = keyof typeof ENGINE_PORTS;
export const SERVICE_NAME = 'api.coditect.test';
export const DNS_PORT = 53;

/** Regions that run the engine, in the order of the pods. */
export function engineRegions(pods: readonly Pod[]): readonly string[] {
  return [...new Set(pods.filter((pod) => pod.labels.app === 'db').map((pod) => pod.region))];
}

/** The first address of the pod with this role in this region. Throws HarnessError when there is none. */
export function addressOf(pods: readonly Pod[], app: string, region: string): string {
  const address = pods.find((pod) => pod.labels.app === app && pod.region === region)?.addresses[0];
  if (address === undefined) throw new HarnessError('lab-failed', `there is no ${app} pod in region ${region}`);
  return address;
}

export function engineUrl(pods: readonly Pod[], program: EngineProgram, region: string, path: string): string {
  return `https://${addressOf(pods, program, region)}:${ENGINE_PORTS[program]}${path}`;
}

/** Region of every API's addresses: how a vantage's peer becomes a region without asking the engine. Nobody else answers a client, and others may share a host with an API. */
export function regionOfAddress(pods: readonly Pod[]): Readonly<Record<string, string>> {
  const apis = pods.filter((pod) => pod.labels.app === 'api');
  return Object.fromEntries(apis.flatMap((pod) => pod.addresses.map((address) => [address, pod.region])));
}
