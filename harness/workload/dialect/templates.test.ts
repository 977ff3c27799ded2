import { expect } from 'chai';
import { decodeYaml } from '../../scenario/yaml-decode.ts';
import { NOTES_LEDGER } from '../../testing/notes/notes-description.ts';
import type { PlannedOperation } from '../plan.ts';
import { templateDialect } from './templates.ts';
import { templatesShape } from './template-shape.ts';

const put: PlannedOperation = { seq: 1, op: 'put', key: 'reg/us-east1/0', value: 'us-east1/7' };
const get: PlannedOperation = { ...put, op: 'get', value: null };
const remove: PlannedOperation = { ...put, op: 'delete', value: null };
const dialect = (change: object = {}, keyPrefix = 'gameday.run-1.') =>
  templateDialect({ templates: templatesShape.parse({ ...NOTES_LEDGER, ...change }), keyPrefix, headers: { host: 'notes.test:80' } });

describe('a ledger described by templates', () => {
  it('writes, reads and deletes under keys of the run', () => {
    const body = '{"note": {"text": "us-east1/7"}}';
    expect(dialect().outgoing(put)).to.deep.equal({
      method: 'PUT',
      path: '/notes/gameday.run-1.reg.us-east1.0',
      headers: { host: 'notes.test:80', 'content-type': 'application/json', 'content-length': body.length },
      body,
    });
    expect(dialect().outgoing(get)).to.deep.include({ method: 'GET', path: '/notes/gameday.run-1.reg.us-east1.0', body: null });
    expect(dialect().outgoing(remove)).to.deep.include({ method: 'POST', path: '/notes/gameday.run-1.reg.us-east1.0/discard', body: null });
  });

  it('quotes for where a word stands: a path, JSON, plain text', () => {
    const odd = { ...put, value: '"ä/ö\\"' };
    const write = { path: '/put?k={key}&v={value}', body: '{"v": "{value}"}' };
    expect(dialect({ write }, 'a b').outgoing(odd).path).to.equal(`/put?k=a%20breg.us-east1.0&v=${encodeURIComponent(odd.value)}`);
    expect(JSON.parse(dialect({ write }).outgoing(odd).body ?? '')).to.deep.equal({ v: odd.value });
    expect(dialect({ write: { ...write, contentType: 'text/plain', body: '{value}' } }).outgoing(odd).body).to.equal(odd.value);
  });

  it('a write is acknowledged or refused by the statuses that mean it, and else of unknown outcome', () => {
    const outcome = (status: number): string => dialect().answer(put, status, '').outcome;
    expect([201, 204, 422, 200, 202, 302, 500, 503].map(outcome)).to.deep.equal([
      'ok',
      'ok',
      'failed',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect([204, 404, 503].map((status) => dialect().answer(remove, status, '').outcome)).to.deep.equal(['ok', 'unknown', 'unknown']);
  });

  it('a read is what the pointer finds as text; what is not there by its status is absent, and what is not understood has failed', () => {
    const read = (status: number, body: string) => dialect().answer(get, status, body);
    expect(read(200, '{"note": {"text": "us-east1/7"}}')).to.deep.equal({ outcome: 'ok', value: 'us-east1/7' });
    expect(read(410, 'gone')).to.deep.equal({ outcome: 'ok', value: null });
    for (const body of [
      '{"note": {}}',
      '{"note": {"text": 7}}',
      '{"note": "text"}',
      'no json',
      '',
      '{"note": {"__proto__": {"text": "x"}}}',
    ])
      expect(read(200, body), body).to.deep.include({ outcome: 'failed', reason: 'answer-not-understood' });
    expect(read(500, '{"note": {"text": "us-east1/7"}}')).to.deep.include({ outcome: 'failed', reason: 'http-500' });
    const whole = dialect({ read: { path: '/{key}' } });
    expect(whole.answer(get, 200, 'us-east1/7')).to.deep.equal({ outcome: 'ok', value: 'us-east1/7' });
    const nested = dialect({ read: { path: '/{key}', value: '/rows/0/a~1b~0c' } });
    expect(nested.answer(get, 200, '{"rows": [{"a/b~c": "v"}]}').value).to.equal('v');
  });

  it('is refused with each mistake, its place and what to do', () => {
    const text = `write: { path: 'notes/{name}', body: '{"text": "{value}"}', acknowledged: [201], refused: [201] }
read: { path: '/notes/{key}', value: note.text, absent: [] }
delete: { path: /notes, acknowledged: [9] }
reed: 1
`;
    const decoded = decodeYaml(text, 'system.yaml', templatesShape);
    const told = decoded.ok ? [] : decoded.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
    expect(told.join('\n')).to.match(/^1 write\.path: must begin with a slash/m);
    expect(told.join('\n')).to.match(/^1 write\.path: has \{name\}; what can be filled in is \{key\} and \{value\}/m);
    expect(told.join('\n')).to.match(/^2 read\.value: must be a JSON pointer such as \/data\/text/m);
    expect(told.join('\n')).to.match(/^2 read\.absent: is empty; name the statuses/m);
    expect(told.join('\n')).to.match(/^3 delete\.acknowledged/m);
    expect(told.join('\n')).to.match(/^4 reed: unknown field `reed`; did you mean `read`\?/m);
    const quotes = decodeYaml('write: {path: "/{key}", body: "{\\"v\\": {value}}"}\nread: {path: "/ä{key}"}\n', 'f', templatesShape);
    const mistakes = quotes.ok ? '' : quotes.problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
    expect(mistakes).to.match(
      /^write\.body: is not JSON, as `contentType` application\/json says; words such as \{value\} stand within quotes$/m,
    );
    expect(mistakes).to.match(/^read\.path: must be printable ASCII/m);
    const keyless = decodeYaml(
      'write: {path: /a, body: "{value}", contentType: text/plain, acknowledged: [200], refused: [200]}\nread: {path: "/{key}"}\n',
      'f',
      templatesShape,
    );
    const problems = keyless.ok ? [] : keyless.problems.map(({ path, message }) => `${path}: ${message}`);
    expect(problems).to.deep.equal([
      'write: says {key} neither in its path nor in its body',
      'write.refused: has 200, and so has `acknowledged`',
    ]);
  });
});
