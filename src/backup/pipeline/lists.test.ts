import { expect } from 'chai';
import { randomBytes, randomUUID } from 'node:crypto';
import { MAX_KEY_BYTES } from '../../database/database.ts';
import { decodeEdges } from '../format/edges.ts';
import { openFloe } from '../format/floe.ts';
import { BLOB_ID_BYTES } from '../format/ids.ts';
import { objectAad } from '../format/object-name.ts';
import { decodeBlob } from '../format/blob.ts';
import { BlobTable } from './blob-table.ts';
import { storeLists } from './lists.ts';
import type { PackSettings } from './pack-builder.ts';
import type { PackToStore } from './pack-store.ts';

const FILES_IN_A_LIST = 8192;
const settings: PackSettings = {
  repo: randomUUID(),
  kid: randomBytes(16).toString('hex'),
  epoch: 1n,
  idKey: randomBytes(32),
  packKey: randomBytes(32),
  level: 1,
  packBytes: 1024 * 1024,
};

describe('lists of a backup', () => {
  it('are stored whatever the lengths of its keys: the edges of one list may be larger than any range file', async () => {
    const files = Array.from({ length: FILES_IN_A_LIST + 1 }, (_, n) => {
      const begin = randomBytes(MAX_KEY_BYTES);
      begin.writeUInt32BE(n);
      return { begin, id: randomBytes(BLOB_ID_BYTES), records: 1, bytes: 1 };
    });
    const stored: PackToStore[] = [];
    const known = { table: BlobTable.create(0), placeOf: () => null, indexOf: () => null, pack: () => Promise.reject(new Error('none')) };
    const lists = await storeLists(files, settings, known, { put: (pack) => Promise.resolve(void stored.push(pack)) });
    const blobs = new Map(stored.flatMap(blobsOf));
    const edges = lists.edges.flatMap((id) => decodeEdges(blobs.get(id)!));
    expect(edges.map(({ begin }) => Buffer.compare(begin, files[0]!.begin) >= 0 && begin.length)).to.deep.equal(
      files.map(() => MAX_KEY_BYTES),
    );
    expect(Buffer.concat(lists.lists.map((id) => blobs.get(id)!)).equals(Buffer.concat(files.map(({ id }) => id)))).to.equal(true);
  });
});

/** By id, as whoever restores reads them. */
function blobsOf({ name, body, blobs }: PackToStore): readonly (readonly [string, Buffer])[] {
  const { packKey, repo, kid, epoch } = settings;
  const plain = openFloe(packKey, objectAad({ type: 'pack', name, repo, kid, epoch }), body);
  return blobs.map(({ blob, offset, storedBytes }) => [
    Buffer.from(blob).toString('hex'),
    decodeBlob(plain.subarray(offset, offset + storedBytes)).plain,
  ]);
}
