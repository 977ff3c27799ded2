import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLmdb } from '../database/lmdb.ts';
import { openLmdbReader } from '../database/lmdb-reader.ts';

const BEFORE = 20;
const OPENING_US = 250_000;

/** Writes all the time while another process opens the same file so slowly (strace holds it up between reading the header and being done) that many commits lie between. */
async function writeWhileOpened(folder: string): Promise<void> {
  const database = openLmdb(folder);
  let index = 0;
  const put = async (): Promise<void> => {
    index++;
    await database.append([{ epoch: 1, index, op: 'put', key: `k${index}`, value: `v${index}` }]);
    database.commit(index);
  };
  for (let n = 0; n < BEFORE; n++) await put();
  const slowly = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-P',
    `${folder}/data.mdb`,
    '-e',
    'trace=mmap',
    '-e',
    `inject=mmap:delay_exit=${OPENING_US}`,
  ];
  const child = spawn('strace', [...slowly, process.execPath, import.meta.filename, 'open', folder], { stdio: 'inherit' });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let opened = false;
  void exited.then(() => (opened = true));
  while (!opened) {
    await put();
    await sleep(1);
  }
  for (let n = 0; n < BEFORE; n++) await put();
  await database.close();
  const again = openLmdb(folder);
  const found = again.entries(1, Number.MAX_SAFE_INTEGER).length;
  await again.close();
  process.stdout.write(`${JSON.stringify({ written: index, found, openerExit: (await exited)[0] })}\n`);
}

const [what, folder = ''] = process.argv.slice(2);
if (what === 'write') await writeWhileOpened(folder);
else if (what === 'hold') {
  openLmdb(folder);
  process.stdout.write('open\n');
  await sleep(60_000);
} else if (what === 'open') {
  await openLmdbReader(folder);
  process.exit(0); // as a process that is killed: nothing is closed
}
