import { expect } from 'chai';
import { LONGEST_WAIT_MS } from '../config/policy.ts';
import { decodeAppend, encodeAppend, type AppendRequest } from './wire.ts';

const heartbeat: AppendRequest = {
  epoch: 1,
  region: 'a',
  prev: { epoch: 1, index: 9 },
  commitIndex: 9,
  lastIndex: 9,
  entries: [],
};
const over = (request: AppendRequest) => decodeAppend(JSON.parse(encodeAppend(request)));

describe('an append', () => {
  it('says for how long it asks for a direct lease, and nothing of it where it does not ask', () => {
    expect(over({ ...heartbeat, promise: 3, promiseMs: 16_000 })).to.include({ promise: 3, promiseMs: 16_000 });
    expect(over({ ...heartbeat, promise: 3 }), 'of an engine that does not tell').to.include({ promise: 3 });
    expect(encodeAppend({ ...heartbeat, promise: undefined, promiseMs: undefined })).to.not.contain('promise');
  });

  it('is none where it would bind a standby for ever', () => {
    for (const promiseMs of [-1, 1.5, NaN, LONGEST_WAIT_MS + 1, 365 * 86_400_000])
      expect(over({ ...heartbeat, promise: 3, promiseMs }), String(promiseMs)).to.equal(null);
    expect(over({ ...heartbeat, promise: 3, promiseMs: LONGEST_WAIT_MS })).to.not.equal(null);
  });
});
