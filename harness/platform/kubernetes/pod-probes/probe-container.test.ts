import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { PROBE_COMMAND } from '../system-file.ts';
import { probePatch } from './probe-container.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../../..');

describe('the patch that adds a probe to a pod', () => {
  it('names the pod that was seen, the image that was given, and asks for nothing that `restricted` refuses', () => {
    const settings = { image: 'registry.example/coditect-dr:1', command: ['node', 'probe.js'], port: 8477 };
    const order = {
      version: 1,
      session: 7,
      me: 0,
      port: 8477,
      periodMs: 50,
      forMs: 60_000,
      peers: [{ number: 0, addresses: { 4: '10.0.0.1' } }],
    };
    const patch = probePatch('uid-1', 'gameday-probe-1', settings, order) as {
      metadata: { uid: string };
      spec: { ephemeralContainers: [{ args: [string]; securityContext: unknown }] };
    };
    expect(patch.metadata.uid).to.equal('uid-1');
    const [container, ...others] = patch.spec.ephemeralContainers;
    expect(others).to.deep.equal([]);
    expect(JSON.parse(container.args[0])).to.deep.equal(order);
    expect(container).to.deep.include({ name: 'gameday-probe-1', image: settings.image, command: settings.command });
    expect(container.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });
});

describe('the probe in an image', () => {
  it('needs nothing but what deploy/Dockerfile puts there', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'image-'));
    try {
      const copied = [...readFileSync(path.join(ROOT, 'deploy/Dockerfile'), 'utf8').matchAll(/ \/app\/(dist\/harness\/\S+) \.\/\1$/gm)];
      for (const [, name = ''] of copied) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
      cpSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
      const [, program = ''] = PROBE_COMMAND;
      const order = { version: 0, session: 1, me: 0, port: 8477, periodMs: 50, forMs: 1000, peers: [] };
      const { status, stdout } = spawnSync(process.execPath, [path.join(folder, program.replace('/app/', '')), JSON.stringify(order)], {
        encoding: 'utf8',
      });
      expect([status, stdout]).to.deep.equal([1, 'the probe cannot run: this image has version 1 of the probe, and 0 is asked for\n']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
