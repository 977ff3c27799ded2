/**
 * `node sandbox-exec.js PROGRAM [ARG…]`: runs a Node program in a prepared sandbox and ends with its exit code. System tests run this way:
 * whatever a test leaves behind, the kernel takes away.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { onStopWanted, prepareSandbox } from './lifeline.ts';
import { enterSandbox, insideSandbox } from './sandbox.ts';

async function execute(args: readonly string[]): Promise<number> {
  await prepareSandbox();
  const child = spawn(process.execPath, [...args], { stdio: 'inherit' });
  onStopWanted(() => child.kill('SIGTERM'));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = insideSandbox() ? await execute(process.argv.slice(2)) : await enterSandbox(process.argv.slice(1));
