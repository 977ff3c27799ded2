import type { ResultDocument } from './result-shape.ts';

/** On what was played and, where the lab set it up, how. How a system that somebody else started replicates nobody here knows: the scenario says it of a lab. */
export function systemText({ platform, replication, policy }: ResultDocument['scenario']): string {
  if (platform === 'addresses') return 'known by its addresses';
  return `${platform} lab, ${replication} replication, policy ${policy}`;
}
