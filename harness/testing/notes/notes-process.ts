import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import process from 'node:process';

const PROGRAM = path.resolve(import.meta.dirname, 'notes-program.js');

export interface Notes {
  readonly port: number;
  kill(): Promise<void>;
}

/** Starts the notes service on loopback; resolves when it listens. Port 0: any that is free. Owner: the caller. */
export async function startNotes(
  file: string,
  { port = 0, forgetful = false }: { readonly port?: number; readonly forgetful?: boolean },
): Promise<Notes> {
  const child = spawn(process.execPath, [PROGRAM, '127.0.0.1', String(port), file, ...(forgetful ? ['forgetful'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const listens = await Promise.race([listening(child), ended.then(() => undefined)]);
  if (listens === undefined) throw new Error('the notes service did not start');
  return {
    port: listens,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function listening({ stdout }: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    if (stdout !== null) createInterface({ input: stdout }).once('line', (line) => resolve((JSON.parse(line) as { port: number }).port));
  });
}
