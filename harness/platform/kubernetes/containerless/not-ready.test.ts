import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { notReady, podLogs } from './not-ready.ts';

describe('pods that did not become ready', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'not-ready-'));
    mkdirSync(podLogs(folder));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are told with what their node knows of them and the last twenty lines of their logs', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}`);
    writeFileSync(path.join(podLogs(folder), 'etcd-0.log'), `${lines.join('\n')}\n`);
    writeFileSync(path.join(podLogs(folder), 'db-0.log'), '');
    const { code, message } = notReady(['etcd-0', 'db-0', 'api-0'], (pod) => `what is known of ${pod}`, folder);
    expect(code).to.equal('lab-failed');
    const [first, ...rest] = message.split('\n');
    expect(first).to.equal(`these pods did not become ready: etcd-0, db-0, api-0; logs are in ${folder}`);
    expect(rest.slice(0, 21)).to.deep.equal(['etcd-0: what is known of etcd-0', ...lines.slice(-20).map((line) => `  ${line}`)]);
    expect(rest.slice(21, 24)).to.deep.equal(['db-0: what is known of db-0', '  (nothing)', 'api-0: what is known of api-0']);
    expect(rest[24]).to.match(/^ {2}\(no log: ENOENT/);
    expect(rest).to.have.length(25);
  });

  it('are none when the nodes have them all ready: then the API server is what is behind', () => {
    expect(notReady([], () => '', folder).message).to.equal(`the API server does not know every pod as ready; logs are in ${folder}`);
  });
});
