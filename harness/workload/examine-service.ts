import { randomUUID } from 'node:crypto';
import type { Feature } from '../platform/local/features.ts';
import type { OwnService } from '../platform/platform.ts';
import { readSystemDocument } from '../platform/system-document.ts';
import { formatProblems } from '../scenario/yaml-decode.ts';
import { measuredBy } from './clients.ts';
import type { Answer } from './dialect/dialect.ts';
import { openService } from './service.ts';

const TRY_MS = 5000;

/** What is wrong, in which field of the description, and what to do. */
interface Wrong {
  readonly at: readonly string[];
  readonly says: string;
  readonly fix: string;
  /** Nothing was asked: a game day may well be played there. */
  readonly untried?: true;
}

/**
 * Whether a service of somebody's own answers each client as the file describes it: one read with GET of a key that nobody wrote, at most 10 s, all clients at once. Nothing is written, so whether
 * writes are taken is not known after it.
 */
export async function examineService(file: string, service: OwnService): Promise<readonly Feature[]> {
  const document = readSystemDocument(file);
  const runFolder = `doctor-${randomUUID()}`;
  const tried = Object.entries(service.clients).map(async ([client, url]) => {
    const wrong = await tryRead(service, client, runFolder);
    const feature = { name: `service as ${client} sees it`, required: true, usedFor: `reads and writes at ${url}` };
    if (wrong === null) return { ...feature, has: true, fix: '' } as const;
    return {
      ...feature,
      required: wrong.untried !== true,
      has: wrong.says,
      fix: formatProblems([document.problem(['service', ...wrong.at], wrong.fix)]),
    };
  });
  return await Promise.all(tried);
}

async function tryRead(service: OwnService, client: string, runFolder: string): Promise<Wrong | null> {
  const at = ['clients', client];
  if (service.ledger.read.method !== 'GET') {
    const fix = 'try it by hand; what is asked with POST might change something';
    const says = 'was not tried: it is read with POST, and the doctor asks with GET only';
    return { at: ['ledger', 'read', 'method'], says, fix, untried: true };
  }
  let open;
  try {
    open = openService(measuredBy(service, client, { runFolder }), TRY_MS);
  } catch (error) {
    const says = `certificates or key cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    return { at: ['tls'], says, fix: 'name files in PEM form, and the key of the certificate' };
  }
  const { finder, requester } = open;
  try {
    const found = await finder.find(TRY_MS);
    const [address] = found.ok ? found.addresses : [];
    if (address === undefined)
      return {
        at,
        says: `its name has no address (${found.ok ? 'none' : found.reason})`,
        fix: 'name a host that this machine can look up',
      };
    return wrongWith(await requester.send({ seq: 0, op: 'get', key: 'nobody/wrote/this', value: null }, address, TRY_MS), at, service);
  } finally {
    finder.close();
    requester.close();
  }
}

const OF_TLS = /cert|ssl|tls|eproto|signature|issuer/;

/** Of a read of what is not there; null: nothing. Pure. */
function wrongWith({ outcome, value, reason = '' }: Answer, at: readonly string[], { headers, ledger }: OwnService): Wrong | null {
  const read = ['ledger', 'read'];
  if (outcome === 'ok' && value === null) return null;
  if (outcome === 'ok')
    return {
      at: [...read, 'found'],
      says: 'answers for a key that nobody wrote as for one that is there: a lost write would be read as kept',
      fix: 'name in `found` what is only said of what is there, and in `absent` what is said of what is not; is this the API, and no page of somebody else?',
    };
  if (reason === 'answer-not-understood')
    return {
      at: [...read, 'value'],
      says: `answers for a key that nobody wrote with a status of \`found\` (${ledger.read.found.join(', ')}), and without text at \`value\``,
      fix: 'name in `absent` what the service says of a key that is not there, or mend `path`',
    };
  const status = /^http-(\d+)$/.exec(reason)?.[1];
  if (status === undefined) return withoutAnswer(reason, at);
  if (status.startsWith('3'))
    return { at, says: `redirects (${status})`, fix: 'give the URL that it redirects to; redirects are not followed' };
  if (['401', '403', '407'].includes(status)) {
    const given = Object.keys(headers).length > 0;
    return {
      at: given ? ['headers'] : at,
      says: `does not let us in (${status})`,
      fix: 'give what it asks for in `headers`, or a certificate in `tls`',
    };
  }
  if (status.startsWith('5') || status === '429')
    return {
      at,
      says: `answers ${status} for a key that nobody wrote: it is in trouble, or refuses to serve`,
      fix: 'look there, or give the URL of one that serves',
    };
  return {
    at: [...read, 'absent'],
    says: `answers ${status} for a key that nobody wrote, which is neither in \`found\` nor in \`absent\``,
    fix: `name ${status} in \`absent\` if that is how it says that a key is not there; else mend \`path\``,
  };
}

function withoutAnswer(reason: string, at: readonly string[]): Wrong {
  if (OF_TLS.test(reason))
    return {
      at,
      says: `no TLS with it (${reason})`,
      fix: 'give its authority as `tls.ca`, the name of its certificate as host, and http:// to what has no TLS',
    };
  if (reason.startsWith('connect') || reason === 'timeout-connecting')
    return {
      at,
      says: `nobody answers there (${reason})`,
      fix: 'give the address and port on which it listens, as this machine reaches it',
    };
  return { at, says: `takes the connection and gives no answer (${reason})`, fix: 'give the port of its API; https:// to what speaks TLS' };
}
