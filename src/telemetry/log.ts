import pino from 'pino';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One NDJSON line a call: `{timestamp, level, component, action, correlation_id, region, monotonic_ms, details}`. An action is snake_case and stable. */
export interface Log {
  debug(action: string, details?: Readonly<Record<string, unknown>>, correlationId?: string): void;
  info(action: string, details?: Readonly<Record<string, unknown>>, correlationId?: string): void;
  warn(action: string, details?: Readonly<Record<string, unknown>>, correlationId?: string): void;
  error(action: string, details?: Readonly<Record<string, unknown>>, correlationId?: string): void;
}

export interface LogOptions {
  readonly component: string;
  readonly region: string;
  readonly clock: Clock;
  readonly level?: LogLevel;
}

/** A log on stdout. Lines not yet taken by a slow reader wait in memory up to 1 MiB, then are dropped: a stuck reader must not stop the database. */
export function openLog(options: LogOptions): Log {
  const destination = pino.destination({ fd: 1, sync: false, minLength: 0, maxLength: 1024 * 1024 });
  destination.on('error', () => undefined);
  process.on('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // The reader is gone: there is nobody to tell.
    }
  });
  return logTo(destination, options);
}

/** As openLog, to a given stream (tests). */
export function logTo(stream: pino.DestinationStream, { component, region, clock, level }: LogOptions): Log {
  const logger = pino(
    {
      level: level ?? 'info',
      base: null,
      timestamp: () => `,"timestamp":"${clock.wall().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const at =
    (level: LogLevel): Log[LogLevel] =>
    (action, details, correlationId) => {
      if (!logger.isLevelEnabled(level)) return;
      logger[level]({
        component,
        action,
        correlation_id: correlationId ?? null,
        region,
        monotonic_ms: Math.round(clock.monotonicMs() * 1000) / 1000,
        details: details === undefined ? {} : plain(details),
      });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function plain(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, value instanceof Error ? describeError(value) : value]));
}

/** An error with its chain of causes, as data; never a stack, which operators cannot act on. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = error instanceof EngineError ? error.code : (error as { code?: unknown }).code;
  return {
    ...(code === undefined ? {} : { code }),
    message: error.message,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
