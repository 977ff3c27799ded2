/** What a process did to one file, from a trace of its system calls. Times are microseconds of the wall clock. */
export type FileEvent = { readonly startUs: number; readonly endUs: number } & (
  | {
      readonly kind: 'write';
      readonly offset: number;
      readonly data: Buffer;
      /** Through a descriptor opened with O_DSYNC. */ readonly durable: boolean;
    }
  | { readonly kind: 'sync' }
);

/** The calls that must be traced: all that can change or sync a file. Anything of these that `parseTrace` does not know makes it throw. */
const TRACED_CALLS =
  'openat,close,lseek,mmap,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,msync,sync_file_range,ftruncate,fallocate,copy_file_range,sendfile';

/** strace's arguments for a trace that `parseTrace` reads: a file per thread (`<prefix>.<tid>`), times, whole data in hex. */
export function straceArguments(file: string, prefix: string, inject: readonly string[]): readonly string[] {
  const injections = inject.map((what) => `--inject=${what}`);
  // -D: the program is our child, with strace beside it and not in between, so that our signals reach the program.
  return [
    '-D',
    '-f',
    '-ff',
    '-ttt',
    '-T',
    '-v',
    '-xx',
    '-s',
    '16777216',
    '-P',
    file,
    '-e',
    `trace=${TRACED_CALLS}`,
    ...injections,
    '-o',
    prefix,
  ];
}

interface Call {
  readonly startUs: number;
  readonly endUs: number;
  readonly name: string;
  readonly args: string;
  readonly result: number;
  readonly injected: boolean;
}

const LINE = /^(\d+)\.(\d{6}) (\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(.*?)(?: <(\d+)\.(\d{6})>)?$/;

/** Reads the threads' traces into the file's events, in the order in which they began. Throws for a call that it does not understand. */
export function parseTrace(threads: readonly string[]): readonly FileEvent[] {
  const calls = threads
    .flatMap((text) => text.split('\n'))
    .flatMap(parseLine)
    .toSorted((a, b) => a.startUs - b.startUs);
  const descriptors = new Map<number, { readonly durable: boolean; position: number }>();
  const events: FileEvent[] = [];
  for (const call of calls) {
    if (call.result < 0) continue;
    const fd = Number.parseInt(call.args, 10);
    const open = descriptors.get(fd) ?? { durable: false, position: 0 };
    const { startUs, endUs } = call;
    const write = (offset: number, data: Buffer): void =>
      void events.push({ kind: 'write', startUs, endUs, offset, data, durable: open.durable });
    switch (call.name) {
      case 'openat':
        descriptors.set(call.result, { durable: /O_DSYNC|O_SYNC/.test(call.args), position: 0 });
        break;
      case 'close':
        descriptors.delete(fd);
        break;
      case 'mmap':
        if (/PROT_WRITE/.test(call.args) && /MAP_SHARED/.test(call.args))
          throw new Error('the file is written through memory: its writes cannot be traced');
        break;
      case 'lseek':
        open.position = call.result;
        break;
      case 'pwrite64':
        write(Number(/, (\d+)$/.exec(call.args)?.[1]), dataOf(call.args).subarray(0, call.result));
        break;
      case 'write':
      case 'writev':
        write(open.position, dataOf(call.args).subarray(0, call.result));
        open.position += call.result;
        break;
      case 'fsync':
      case 'fdatasync':
        // Injected: reported as done to the process, but never given to the kernel.
        if (!call.injected) events.push({ kind: 'sync', startUs, endUs });
        break;
      default:
        throw new Error(`cannot replay ${call.name}`);
    }
  }
  return events;
}

function parseLine(line: string): readonly Call[] {
  if (line === '' || /^\d+\.\d{6} (\+\+\+|---)/.test(line)) return [];
  const match = LINE.exec(line);
  if (match === null) {
    // Cut by the end of the process: not completed, so whatever it did is one of the unsynced writes.
    const cut = /^(\d+)\.(\d{6}) (\w+)\((.*?)(?: <unfinished \.\.\.>)?$/.exec(line);
    if (cut !== null && ['close', 'lseek', 'mmap', 'fsync', 'fdatasync'].includes(cut[3] ?? '')) return [];
    throw new Error(`cannot read the trace: ${line.slice(0, 120)}`);
  }
  const [, seconds, micros, name, args, result, note, tookSeconds, tookMicros] = match;
  const startUs = Number(seconds) * 1e6 + Number(micros);
  const endUs = startUs + Number(tookSeconds ?? 0) * 1e6 + Number(tookMicros ?? 0);
  return [{ startUs, endUs, name: name ?? '', args: args ?? '', result: Number(result), injected: note?.includes('INJECTED') === true }];
}

/** The strings in a call's arguments, one after the other: the buffer of a write, the parts of a vectored one. */
function dataOf(args: string): Buffer {
  return Buffer.concat(
    [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => Buffer.from((hex ?? '').replaceAll('\\x', ''), 'hex')),
  );
}

/** The moments at which losing power may differ: before each event begins, and right before it is over. */
export function crashMoments(events: readonly FileEvent[]): readonly number[] {
  return [...new Set(events.flatMap(({ startUs, endUs }) => [startUs, endUs]))].toSorted((a, b) => a - b);
}

export type Survival = 'only-synced' | 'all' | 'some-pages' | 'torn-pages';
export const SURVIVALS: readonly Survival[] = ['only-synced', 'all', 'some-pages', 'torn-pages'];
const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;

/** The file as the disk may hold it when power was lost at `atUs`: everything that was synced, and of the rest what `survival` says. A sector is written whole or not at all. */
export function crashImage(events: readonly FileEvent[], atUs: number, survival: Survival, random: () => number): Buffer {
  const issued = events.filter((event) => event.startUs < atUs);
  const lastSyncUs = Math.max(-1, ...issued.filter(({ kind, endUs }) => kind === 'sync' && endUs < atUs).map(({ startUs }) => startUs));
  const pieces: { readonly offset: number; readonly data: Buffer }[] = [];
  for (const event of issued) {
    if (event.kind !== 'write') continue;
    const synced = event.endUs <= lastSyncUs || (event.durable && event.endUs < atUs);
    if (synced || survival === 'all') pieces.push(event);
    else if (survival !== 'only-synced') pieces.push(...survivors(event, survival === 'torn-pages' ? SECTOR_BYTES : PAGE_BYTES, random));
  }
  const image = Buffer.alloc(Math.max(0, ...pieces.map(({ offset, data }) => offset + data.length)));
  for (const { offset, data } of pieces) data.copy(image, offset);
  return image;
}

function survivors(
  { offset, data }: { readonly offset: number; readonly data: Buffer },
  unitBytes: number,
  random: () => number,
): { offset: number; data: Buffer }[] {
  const pieces: { offset: number; data: Buffer }[] = [];
  for (let at = 0; at < data.length;) {
    const length = Math.min(unitBytes - ((offset + at) % unitBytes), data.length - at);
    if (random() < 0.5) pieces.push({ offset: offset + at, data: data.subarray(at, at + length) });
    at += length;
  }
  return pieces;
}
