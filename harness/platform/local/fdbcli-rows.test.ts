import { expect } from 'chai';
import { rowsOf } from './fdbcli-rows.ts';

const said = (...rows: readonly string[]): string => ['', 'Range limited to 1000000 keys', ...rows, '', ''].join('\n');

describe('rows that fdbcli prints', () => {
  it('are keys below the prefix and their values, unescaped', () => {
    const printed = said("`g/data/a' is `1'", "`g/data/\\xc3\\xa4' is `back\\\\slash \\x00 it's `quoted' ok'");
    expect([...rowsOf(printed, 'g/data/')]).to.deep.equal([
      ['a', '1'],
      ['ä', "back\\slash \0 it's `quoted' ok"],
    ]);
    expect(rowsOf(said(), 'g/data/').size).to.equal(0);
  });

  it('are not taken for all where that is not sure', () => {
    const refused: readonly string[] = [
      '',
      said('ERROR: something'),
      said("`other/a' is `1'"),
      said("`g/data/\\q' is `1'"),
      "Range limited to 2 keys\n`g/data/a' is `1'\n`g/data/b' is `1'\n",
    ];
    for (const printed of refused) expect(() => rowsOf(printed, 'g/data/'), printed).to.throw(/fdbcli/);
  });
});
