import { PORTS, SERVICE_NAME, type Topology } from './topology.ts';

/** The lab on one screen: every pod with its addresses, and what to try first. Pure. */
export function labMap(topology: Topology): string {
  const regions = [...topology.regions, 'outside'];
  const width = Math.max(...topology.pods.map((pod) => pod.name.length));
  const lines = regions.flatMap((region) => [
    `${region}${region === topology.primaryRegion ? ' (primary)' : ''}`,
    ...topology.pods
      .filter((pod) => pod.region === region)
      .map((pod) => `  ${pod.name.padEnd(width)}  ${pod.ipv4.padEnd(11)}  ${pod.ipv6}`),
  ]);
  const tls = '--cacert tls/ca.crt --cert tls/tls.crt --key tls/tls.key';
  return `${[
    ...lines,
    '',
    'You are in the pod operator. Try:',
    `  dig +short ${SERVICE_NAME}`,
    '  coditect-dr status',
    `  curl -s ${tls} https://${SERVICE_NAME}:${PORTS.api}/health`,
    `  curl -s ${tls} -X PUT -d hello https://${SERVICE_NAME}:${PORTS.api}/v1/kv/greeting`,
  ].join('\n')}\n`;
}
