import type { EngineConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { jsonReply, metricsRoute, type HttpReply, type Route } from '../platform/http.ts';
import { divergentLines } from '../replication/divergence.ts';
import { exportLines } from './export-lines.ts';
import type { DatabaseNode } from './node.ts';
import { databaseStatus } from './status.ts';

export interface ReadOptions {
  readonly node: DatabaseNode;
  readonly database: Database;
  readonly config: EngineConfig;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly metrics: () => Promise<string>;
}

/** What a database tells of itself. */
export function readRoutes(options: ReadOptions): readonly Route[] {
  const { node, database, config, clock, dataFolder } = options;
  const roles = ['api', 'database', 'controller', 'operator'] as const;
  return [
    { method: 'GET', path: '/health', roles: 'anyone', handle: () => health(options) },
    metricsRoute('anyone', options.metrics),
    { method: 'GET', path: '/v1/status', roles, handle: () => jsonReply(databaseStatus(node, database, config, clock)) },
    { method: 'GET', path: '/v1/export', roles, handle: () => exportData(options) },
    {
      method: 'GET',
      path: '/v1/divergent',
      roles,
      handle: () => ({ status: 200, body: [...divergentLines(dataFolder)].join(''), contentType: 'application/x-ndjson' }),
    },
  ];
}

function health({ node, config }: ReadOptions): HttpReply {
  const status = node.role === 'starting' || (node.role === 'primary' && !node.writable) ? 'Degraded' : 'Healthy';
  return jsonReply({ region: config.region, status, role: node.role, epoch: node.epoch, timestamp: new Date().toISOString() });
}

async function exportData({ node, database, config }: ReadOptions): Promise<HttpReply> {
  const { role, epoch } = node;
  const { end, rows } = await database.snapshot();
  return { status: 200, body: exportLines({ region: config.region, epoch, role, appliedIndex: end.index }, rows) };
}
