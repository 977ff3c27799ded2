import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGIONS_FILE } from '../testing/placed-servers.ts';
import { parseLayout } from './layout.ts';

describe('layout of FoundationDB', () => {
  it('is read from the file that is deployed', () => {
    const file = join(import.meta.dirname, '../../../deploy/foundationdb/regions.json');
    expect(parseLayout(readFileSync(file, 'utf8'), file)).to.deep.include({ kind: 'regions', redundancy: 'double' });
  });

  it('is refused with the file, the field and what is wrong', () => {
    for (const [text, message] of [
      ['{', /^x\.json: is no JSON/],
      ['[]', /^x\.json: the file: /],
      ['{}', /^x\.json: regions: /],
      [REGIONS_FILE.replace('"priority":0', '"priority":"0"'), /regions\.1\.datacenters\.0\.priority: /],
      [REGIONS_FILE.replace('"priority":0', '"priority":1'), /the same priority/],
      [REGIONS_FILE.replace('{"regions"', '{"usable_regions":2,"regions"'), /usable_regions/],
      [REGIONS_FILE.replace('"id":"dc2"', '"id":"dc2; configure single"'), /letters, digits/],
    ] as const)
      expect(() => parseLayout(text, 'x.json'), text).to.throw(message);
  });
});
