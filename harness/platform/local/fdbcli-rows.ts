import { HarnessError } from '../errors.ts';

const ROW = /^`(.*?)' is `(.*)'$/;
const LIMITED = /^Range limited to (\d+) keys$/m;

/**
 * What `fdbcli getrange` printed, keys without their prefix. It prints what is no printable ASCII as `\xHH`, a backslash twice (`Traceable<StringRef>`, flow/Trace.h). Throws HarnessError
 * `lab-failed` for any line that is not understood, and where there may be more than was asked for: a part must not pass for the whole. Pure.
 */
export function rowsOf(said: string, prefix: string): ReadonlyMap<string, string> {
  const limit = Number(LIMITED.exec(said)?.[1] ?? 0);
  const lines = said.split('\n').filter((line) => line !== '' && !LIMITED.test(line));
  const rows = new Map(lines.map((line) => rowOf(line, prefix)));
  if (limit === 0) throw new HarnessError('lab-failed', `fdbcli getrange said no limit: ${said.slice(0, 200)}`);
  if (lines.length >= limit) throw new HarnessError('lab-failed', `fdbcli getrange stopped at ${limit} keys`);
  return rows;
}

function rowOf(line: string, prefix: string): readonly [string, string] {
  const [, key, value] = ROW.exec(line) ?? [];
  if (key === undefined || value === undefined) throw new HarnessError('lab-failed', `fdbcli getrange said ${line.slice(0, 200)}`);
  const whole = unprintable(key);
  if (!whole.startsWith(prefix))
    throw new HarnessError('lab-failed', `fdbcli getrange told a key outside ${prefix}: ${whole.slice(0, 200)}`);
  return [whole.slice(prefix.length), unprintable(value)];
}

const TOKEN = /\\\\|\\x([0-9a-f]{2})|[^\\]+/gy;

function unprintable(text: string): string {
  const parts: Buffer[] = [];
  let readTo = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, hex] = match;
    parts.push(hex === undefined ? Buffer.from(token === '\\\\' ? '\\' : token, 'latin1') : Buffer.from(hex, 'hex'));
    readTo = match.index + token.length;
  }
  if (readTo !== text.length) throw new HarnessError('lab-failed', `fdbcli escaped in another way: ${text.slice(readTo, readTo + 50)}`);
  return Buffer.concat(parts).toString('utf8');
}
