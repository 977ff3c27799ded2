import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const FILE = path.resolve(import.meta.dirname, '../../../../deploy/monitoring/dashboard.json');
const target = z.object({ refId: z.string(), expr: z.string() });
const panel = z.object({
  id: z.number(),
  title: z.string(),
  type: z.enum(['row', 'stat', 'timeseries']),
  gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
  targets: z.array(target).default([]),
});
const shape = z.object({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.number(),
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(panel),
});

/** The Grafana dashboard that is shipped. */
export const readDashboard = (): z.infer<typeof shape> => shape.parse(JSON.parse(readFileSync(FILE, 'utf8')));

export interface Query {
  readonly of: string;
  /** PromQL, with what Grafana would put for its variables. */
  readonly expr: string;
}

export function queriesOf({ panels, annotations }: z.infer<typeof shape>): readonly Query[] {
  const all = [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr }))),
    ...annotations.list.map(({ expr }) => ({ of: 'annotation', expr })),
  ];
  return all.map(({ of, expr }) => ({ of, expr: expr.replaceAll('$region', '.*').replaceAll('$__rate_interval', '1m') }));
}

/** The engine's metrics that a query asks for. */
export const metricsOf = ({ expr }: Query): readonly string[] => [...new Set(expr.match(/coditect_dr_[a-z_]+/g) ?? [])];
