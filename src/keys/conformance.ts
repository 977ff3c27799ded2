import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { EngineError, type EngineErrorCode } from '../platform/errors.ts';
import { MAX_WRAP_BYTES, type KeyService } from './key-service.ts';

/** What every KeyService must do; to be called inside a mocha `describe`. open gives the same key each time, openOther another one. */
export function keyServiceConformance(open: () => Promise<KeyService>, openOther: () => Promise<KeyService>): void {
  const aad = Buffer.from('cdr1|repo|kid|1');
  const plain = randomBytes(32);

  async function expectError(attempt: Promise<unknown>, code: EngineErrorCode, what: string): Promise<void> {
    const outcome: unknown = await attempt.catch((error: unknown) => error);
    expect(outcome, what).to.be.instanceOf(EngineError).with.property('code', code);
  }

  it('unwraps what it wrapped, also when it was opened anew', async () => {
    for (const length of [1, 32, MAX_WRAP_BYTES]) {
      const key = randomBytes(length);
      const wrapped = await (await open()).wrap(key, aad);
      expect(wrapped.includes(key) && length > 1).to.equal(false);
      expect((await (await open()).unwrap(wrapped, aad)).equals(key), `${length} bytes`).to.equal(true);
    }
    expect((await open()).keyName).to.equal((await open()).keyName);
    expect((await open()).keyName).not.to.equal((await openOther()).keyName);
  });

  it('wraps to other bytes each time', async () => {
    const service = await open();
    expect((await service.wrap(plain, aad)).equals(await service.wrap(plain, aad))).to.equal(false);
  });

  it('refuses another AAD, another key, and anything changed, cut or continued', async () => {
    const service = await open();
    const wrapped = await service.wrap(plain, aad);
    await expectError(service.unwrap(wrapped, Buffer.from('cdr1|repo|kid|2')), 'key-service-failed', 'AAD');
    await expectError((await openOther()).unwrap(wrapped, aad), 'key-service-failed', 'key');
    for (let at = 0; at < wrapped.length; at += 3) {
      const changed = Buffer.from(wrapped);
      changed[at] = changed[at]! ^ 1;
      await expectError(service.unwrap(changed, aad), 'key-service-failed', `byte ${at}`);
    }
    await expectError(service.unwrap(wrapped.subarray(1), aad), 'key-service-failed', 'cut');
    await expectError(service.unwrap(wrapped.subarray(0, -1), aad), 'key-service-failed', 'cut at the end');
    await expectError(service.unwrap(Buffer.concat([wrapped, Buffer.of(0)]), aad), 'key-service-failed', 'continued');
    await expectError(service.unwrap(new Uint8Array(), aad), 'key-service-failed', 'nothing');
  });

  it('refuses to wrap nothing or too much', async () => {
    const service = await open();
    await expectError(service.wrap(new Uint8Array(), aad), 'bad-request', 'nothing');
    await expectError(service.wrap(randomBytes(MAX_WRAP_BYTES + 1), aad), 'bad-request', 'too much');
  });

  it('does nothing once its signal is aborted, and gives the reason', async () => {
    const service = await open();
    const wrapped = await service.wrap(plain, aad);
    const reason = new Error('stop');
    expect(await service.wrap(plain, aad, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
    expect(await service.unwrap(wrapped, aad, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
  });
}
