import { decodeConfig } from '../config/load.ts';
import { PATIENT, PATIENT_WITH_A_BUCKET, PROGRAMS, REGIONS, testConfig, type TestSettings } from './test-config.ts';

const etcd: TestSettings['arbiter'] = { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/coditect-dr/' };
const bucket: TestSettings['arbiter'] = { kind: 'gcs', bucket: 'test', prefix: 'coditect-dr/', endpoint: 'http://127.0.0.1:1' };
const dns: TestSettings['dns'] = { kind: 'cloud-dns', managed_zone: 'zone', name: 'api.coditect.test.', ttl_seconds: 1 };

describe('the configuration of the clusters of tests', () => {
  it('is one that the engine takes, with every policy: a program that refuses it would only be seen not to answer', () => {
    for (const [policy, arbiter] of [
      ['lab', etcd],
      [PATIENT, etcd],
      [PATIENT_WITH_A_BUCKET, bucket],
    ] as const)
      for (const program of PROGRAMS)
        for (const region of REGIONS)
          decodeConfig(testConfig({ mode: 'sync', policy, arbiter, dns, more: {}, pem: '', portOf: () => 1 }, program, region), 'test');
  });
});
