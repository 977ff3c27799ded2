import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { logTo } from './log.ts';

describe('log', () => {
  it('writes one JSON object a line with the fields of the contract, errors with their causes', () => {
    const lines: string[] = [];
    const log = logTo({ write: (line: string) => void lines.push(line) }, { component: 'lease', region: 'us-east1', clock: systemClock });
    log.warn('self_fenced', { epoch: 3, error: new EngineError('timeout', 'late', new Error('why')) }, 'run-1');
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).to.have.all.keys('timestamp', 'level', 'component', 'action', 'correlation_id', 'region', 'monotonic_ms', 'details');
    expect(line).to.deep.include({ level: 'warn', component: 'lease', action: 'self_fenced', correlation_id: 'run-1', region: 'us-east1' });
    expect(line['details']).to.deep.equal({ epoch: 3, error: { code: 'timeout', message: 'late', cause: { message: 'why' } } });
    expect(line['monotonic_ms']).to.be.a('number');
  });
});
