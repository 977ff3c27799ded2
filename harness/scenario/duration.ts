import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const WHOLE = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration as Go's time.ParseDuration reads it (`300ms`, `1.5h`, `1h15m`, `0`); undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = WHOLE.exec(text);
  if (!match) return undefined;
  let ms = 0;
  for (const [, amount, unit] of (match[2] ?? '').matchAll(PART)) ms += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return match[1] === '-' ? -ms : ms;
}

/** Longer than any game day; and above 2^31 ms a timer would fire at once. */
const LONGEST_MS = 24 * 3_600_000;

/** Schema: a written duration → milliseconds, greater than zero and at most a day. */
export const durationMs = z
  .string({ error: 'must be a duration such as 300ms, 10s or 1h15m, written as text' })
  .transform((text, context) => {
    const ms = parseDurationMs(text);
    if (ms === undefined) context.addIssue({ code: 'custom', message: `\`${text}\` is not a duration; write it as 300ms, 10s or 1h15m` });
    else if (ms <= 0) context.addIssue({ code: 'custom', message: `\`${text}\` must be longer than zero` });
    else if (ms > LONGEST_MS) context.addIssue({ code: 'custom', message: `\`${text}\` is longer than a day (24h); shorten it` });
    return ms ?? 0;
  });
