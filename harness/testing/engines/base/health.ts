export type Grade = 'Healthy' | 'Degraded' | 'Failed';
export interface Check {
  readonly name: 'api' | 'database' | 'replication';
  readonly status: Grade;
  readonly latencyMs: number;
  readonly detail?: string;
}
export interface Health {
  readonly region: string;
  readonly status: Grade;
  readonly score: number;
  readonly checks: readonly Check[];
  readonly role: string;
  readonly epoch: number;
  readonly timestamp: string;
}

const POINTS: Readonly<Record<Grade, number>> = { Healthy: 100, Degraded: 50, Failed: 0 };

/** The worst check decides the status; the score is their mean. */
export function health(region: string, checks: readonly Check[], role: string, epoch: number): Health {
  const worst = (['Failed', 'Degraded'] as const).find((grade) => checks.some((c) => c.status === grade)) ?? 'Healthy';
  const score = Math.round(checks.reduce((sum, c) => sum + POINTS[c.status], 0) / Math.max(1, checks.length));
  return { region, status: worst, score, checks, role, epoch, timestamp: new Date().toISOString() };
}

/** Prometheus text: one gauge a line, all with the region as label. */
export function metrics(region: string, gauges: Readonly<Record<string, number>>): string {
  return Object.entries(gauges)
    .map(([name, value]) => `# TYPE coditect_dr_${name} gauge\ncoditect_dr_${name}{region="${region}"} ${value}\n`)
    .join('');
}
