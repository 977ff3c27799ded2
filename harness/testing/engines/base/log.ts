export type Log = (action: string, details?: Readonly<Record<string, unknown>>, level?: 'info' | 'warn' | 'error') => void;

/** The NDJSON log of the contract, on stdout; one line a call. */
export function openLog(component: string, region: string): Log {
  return (action, details = {}, level = 'info') => {
    const line = {
      timestamp: new Date().toISOString(),
      level,
      component,
      action,
      correlation_id: typeof details['runId'] === 'string' ? details['runId'] : null,
      region,
      monotonic_ms: nowMs(),
      details,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
}

/** CLOCK_MONOTONIC in milliseconds. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
