import { PORTS, PREFIX_LENGTH, podOf, SERVICE_NAME, ZONE, type PodSpec, type Topology } from './topology.ts';
import { TSIG_KEY_NAME } from './engine-config.ts';

/**
 * knot.conf of the authoritative server: one zone, updates by the engine's TSIG key only. Everything stands on the
 * pod's tmpfs; updates are written to the zone file at once, so that a restarted server has them. Pure. */
export function knotConfig(pod: PodSpec, podRoot: string, tsigSecret: string): string {
  return `server:
    listen: [ ${pod.ipv4}@${PORTS.dns}, ${pod.ipv6}@${PORTS.dns} ]
    rundir: ${podRoot}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: notice
database:
    storage: ${podRoot}
    journal-db-max-size: 64M
key:
  - id: ${TSIG_KEY_NAME}
    algorithm: hmac-sha256
    secret: ${tsigSecret}
acl:
  - id: engine
    key: ${TSIG_KEY_NAME}
    action: update
zone:
  - domain: ${ZONE}
    storage: ${podRoot}
    file: zone
    acl: engine
    zonefile-sync: 0
`;
}

/**
 * The zone as the operator of the DNS would have set it up: the service name points to the primary region, there is no epoch yet. Names
 * other than the service exist for people's sake (\`dig db-us-east1.coditect.test\`). Pure.
 */
export function zoneFile(topology: Topology, ttlSeconds: number): string {
  const api = podOf(topology, 'api', topology.primaryRegion);
  const address = (name: string, pod: PodSpec): string =>
    `${name}. ${ttlSeconds} IN A ${pod.ipv4}\n${name}. ${ttlSeconds} IN AAAA ${pod.ipv6}`;
  const dns = podOf(topology, 'dns', 'outside');
  return `${[
    `${ZONE}. ${ttlSeconds} IN SOA dns.${ZONE}. operator.${ZONE}. 1 60 60 3600 ${ttlSeconds}`,
    `${ZONE}. ${ttlSeconds} IN NS dns.${ZONE}.`,
    address(`dns.${ZONE}`, dns),
    address(SERVICE_NAME, api),
    ...topology.pods.filter((pod) => pod !== dns).map((pod) => address(`${pod.name}.${ZONE}`, pod)),
  ].join('\n')}\n`;
}

/**
 * unbound.conf of a region's caching resolver. It keeps what the TTL allows; longer only while nobody answers it (RFC 8767, as many
 * resolvers do): so clients in a region that is cut off go on reaching the old primary, and what that acknowledges when fenced is seen. It
 * asks a server that was silent again soon: else a healed partition would go on for the length of unbound's own memory of it.
 * (infra-cache-max-rtt must be above 376 ms, what unbound assumes of a server that it does not know: below, it calls every server failed and
 * answers SERVFAIL.)
 *
 * `prefetch`: a name that is asked for all the time is asked anew when its time is nearly over, as resolvers in production do. Without it a time to live of 1 s would be up to
 * 2 s here and here only: unbound counts whole seconds and keeps a record through the last of them, which nobody notices at 30 s. Pure.
 */
export function unboundConfig(topology: Topology, pod: PodSpec, podRoot: string): string {
  const dns = podOf(topology, 'dns', 'outside');
  return `server:
  interface: ${pod.ipv4}
  interface: ${pod.ipv6}
  port: ${PORTS.dns}
  access-control: ${topology.bridge.ipv4}/${PREFIX_LENGTH.v4} allow
  access-control: ${topology.bridge.ipv6}/${PREFIX_LENGTH.v6} allow
  chroot: ""
  username: ""
  directory: "${podRoot}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-daemonize: no
  num-threads: 1
  outgoing-range: 256
  msg-cache-size: 1m
  rrset-cache-size: 1m
  module-config: "iterator"
  local-zone: "test." nodefault
  cache-min-ttl: 0
  prefetch: yes
  cache-max-negative-ttl: 1
  serve-expired: yes
  serve-expired-ttl: 300
  serve-expired-client-timeout: 100
  infra-host-ttl: 1
  infra-keep-probing: yes
  infra-cache-min-rtt: 50
  infra-cache-max-rtt: 1000
  qname-minimisation: no
remote-control:
  control-enable: no
stub-zone:
  name: "${ZONE}"
  stub-addr: ${dns.ipv4}
  stub-addr: ${dns.ipv6}
`;
}

/** resolv.conf of a pod: its region's resolver. Pure. */
export function resolvConf(resolver: PodSpec): string {
  return `nameserver ${resolver.ipv4}\nsearch ${ZONE}\noptions timeout:1 attempts:1\n`;
}
