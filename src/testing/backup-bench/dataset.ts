import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from '../../database/database.ts';
import { openLmdb } from '../../database/lmdb.ts';
import { openRestoreTarget, type RestoreRow } from '../../database/lmdb-restore.ts';
import { documentAt, isChanged } from './documents.ts';

/** The same records in two forms: a database, and a folder of files of 16 MiB with a record a line (key, tab, JSON). */
export interface Dataset {
  readonly databaseFolder: string;
  readonly filesFolder: string;
  readonly records: number;
  /** Keys and values, without anything around them: what every rate is counted in. */
  readonly bytes: number;
}

const FILE_BYTES = 16 * 1024 * 1024;
const BATCH_BYTES = 16 * 1024 * 1024;
const VERSION_OF_ALL = { epoch: 1, index: 1 };

/** Makes the first state, or finds it made. */
export async function makeDataset(folder: string, gib: number): Promise<Dataset> {
  const wanted = Math.round(gib * 2 ** 30);
  const note = join(folder, 'dataset.json');
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Dataset;
  rmSync(folder, { recursive: true, force: true });
  const databaseFolder = join(folder, 'data', 'db');
  const filesFolder = join(folder, 'files');
  mkdirSync(filesFolder, { recursive: true });
  mkdirSync(dirname(databaseFolder), { recursive: true });
  const target = openRestoreTarget(databaseFolder);
  let [records, bytes] = [0, 0];
  try {
    const out = new FileSplitter(filesFolder);
    while (bytes < wanted) {
      const rows: RestoreRow[] = [];
      for (let batch = 0; batch < BATCH_BYTES && bytes < wanted;) {
        const { key, value } = documentAt(records++, 0);
        const row = { key: Buffer.from(key), value: Buffer.from(value) };
        rows.push(row);
        out.add(`${key}\t${value}\n`);
        batch += row.key.length + row.value.length;
        bytes += row.key.length + row.value.length;
      }
      await target.put(rows, { job: 'dataset', note: '' }, true);
    }
    out.end();
    await target.finish(VERSION_OF_ALL, [[VERSION_OF_ALL.epoch, VERSION_OF_ALL.index]]);
  } finally {
    await target.close();
  }
  const dataset = { databaseFolder, filesFolder, records, bytes };
  writeFileSync(note, JSON.stringify(dataset));
  return dataset;
}

/** Turns both forms into the state `version`, in which about 1 % of the records are other ones: the database by writes of its own, the files by writing anew those that differ. */
export async function changeDataset({ databaseFolder, filesFolder, records }: Dataset, version: number): Promise<number> {
  const changed: number[] = [];
  for (let n = 0; n < records; n++) if (isChanged(n)) changed.push(n);
  const database = openLmdb(databaseFolder);
  try {
    for (let at = 0; at < changed.length; at += 4096) {
      const first = database.state().log.index + 1;
      const entries = changed.slice(at, at + 4096).map((n, i): Entry => {
        const { key, value } = documentAt(n, version);
        return { epoch: VERSION_OF_ALL.epoch, index: first + i, op: 'put', key, value };
      });
      await database.append(entries);
      database.commit(first + entries.length - 1);
      await database.seal(0);
    }
  } finally {
    await database.close();
  }
  for (const name of readdirSync(filesFolder)) changeFile(join(filesFolder, name), version);
  return changed.length;
}

/** A file in which no record is another one is left alone, with its time. */
function changeFile(path: string, version: number): void {
  let differs = false;
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [at, line] of lines.entries()) {
    const key = line.slice(0, line.indexOf('\t'));
    const n = Number(key.slice(key.lastIndexOf('/') + 1));
    if (key === '' || !isChanged(n)) continue;
    lines[at] = `${key}\t${documentAt(n, version).value}`;
    differs = true;
  }
  if (differs) writeFileSync(path, lines.join('\n'));
}

/** Writes lines into numbered files. */
class FileSplitter {
  readonly #folder: string;
  #number = 0;
  #lines: string[] = [];
  #bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#bytes >= FILE_BYTES) this.#write();
  }

  end(): void {
    if (this.#lines.length > 0) this.#write();
  }

  #write(): void {
    const path = join(this.#folder, `part-${String(this.#number++).padStart(5, '0')}.jsonl`);
    writeFileSync(path, this.#lines.join(''));
    this.#lines = [];
    this.#bytes = 0;
  }
}
