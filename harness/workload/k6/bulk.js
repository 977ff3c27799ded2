// The bulk load of a scenario (`bulk`), a script for k6: so many writes a second, whatever the answers take. Each value follows from its key
// (harness/measure/bulk-values.ts has the same function, and a test holds the two together), so that every copy can be checked.
import http from 'k6/http';
import exec from 'k6/execution';
import { bulkValue } from './bulk-value.js';

const { BULK_NAME, BULK_RATE, BULK_FOR_MS, BULK_BYTES, BULK_MAY_FAIL, BULK_TIMEOUT_MS, BULK_URL } = __ENV;
const rate = Number(BULK_RATE);
// So many requests are in flight when every one of them takes until its limit; with fewer an iteration might be dropped.
const vus = Math.ceil((rate * Number(BULK_TIMEOUT_MS)) / 1000) + 5;

export const options = {
  scenarios: {
    bulk: {
      exec: 'put',
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: `${BULK_FOR_MS}ms`,
      preAllocatedVUs: vus,
      maxVUs: vus,
      gracefulStop: `${BULK_TIMEOUT_MS}ms`,
    },
  },
  // The pod's resolver has a cache of its own; k6's would keep the address of a primary that is gone.
  dns: { ttl: '0', select: 'first', policy: 'onlyIPv4' },
  tlsAuth: [{ cert: open('/run/pod/tls/tls.crt'), key: open('/run/pod/tls/tls.key') }],
  thresholds: { dropped_iterations: ['count==0'], http_req_failed: [`rate<=${BULK_MAY_FAIL}`] },
};

// k6 looks for the service's address only when it makes a new connection, and keeps one to a region that no longer serves.
let close = false;

export function put() {
  const number = exec.scenario.iterationInTest;
  const key = `bulk/${BULK_NAME}/${number}`;
  const headers = close ? { Connection: 'close' } : {};
  const answer = http.put(`${BULK_URL}/v1/kv/${key}`, bulkValue(key, Number(BULK_BYTES)), {
    headers,
    timeout: `${BULK_TIMEOUT_MS}ms`,
    tags: { name: 'put' },
  });
  // k6 only counts: which writes were acknowledged is read from this.
  // oxlint-disable-next-line no-console -- k6 writes nothing else down
  if (answer.status === 200) console.log(number);
  close = !close && answer.status === 503;
}
