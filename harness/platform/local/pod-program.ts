import { spawn } from 'node:child_process';
import process from 'node:process';
import type { PodProgram } from '../platform.ts';
import type { BoundedLog } from './bounded-log.ts';
import { jsonObject, splitLines } from './lines.ts';

/** The operator's agent hands over a region's whole copy in one message: 64 MiB at most, and JSON may double it. */
const MAX_MESSAGE_CHARS = 160 * 1024 * 1024;

export interface PodProgramProcess extends PodProgram {
  /** Kills it and resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a program that speaks NDJSON on its stdin and stdout; those are pipes to the runner, so no fault touches them. It is no part of its
 * pod's container: pod faults do not kill it. What it writes that is no JSON object goes to the pod's log.
 */
export function startPodProgram(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  log: BoundedLog,
): PodProgramProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment } });
  const handlers: ((message: unknown) => void)[] = [];
  const textHandlers: ((line: string) => void)[] = [];
  const onText = (line: string): void => {
    for (const handler of textHandlers) handler(line);
  };
  const onErrorText = splitLines(onText);
  const exited = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) => {
    child.once('error', (error) => {
      log.write(`${program} does not start: ${error.message}\n`);
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal })); // 'close', not 'exit': its last messages come first
  });
  child.stdin.on('error', () => undefined); // `exited` says it better
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log.write(text);
    onErrorText(text);
  });
  const onLine = splitLines((line) => {
    const message = jsonObject(line);
    if (message === undefined) {
      log.write(`${line}\n`);
      onText(line);
    } else for (const handler of handlers) handler(message);
  }, MAX_MESSAGE_CHARS);
  child.stdout.setEncoding('utf8').on('data', onLine);
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      return; // gone already
    }
  };
  return {
    send: (message) => void (child.stdin.writable && child.stdin.write(`${JSON.stringify(message)}\n`)),
    onMessage: (handler) => void handlers.push(handler),
    onText: (handler) => void textHandlers.push(handler),
    exited,
    kill,
    stop: async () => {
      kill();
      await exited;
    },
  };
}
