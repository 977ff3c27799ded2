import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Known-bad. Our own engine as it is, but for one program: `backup-service` works in the primary's region only, and stops after some backups without ending, so that nobody starts it anew. The sentence that it
 * breaks: *a backup is made whenever one is due.*
 */
const ENGINE = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const BACKUPS = 4;

const words = process.argv.slice(2);
if (words[0] === 'backup-service') await someBackups();
else {
  process.argv[1] = ENGINE;
  await import(pathToFileURL(ENGINE).href);
}

async function someBackups(): Promise<void> {
  const config = readFileSync(words[words.indexOf('--config') + 1] ?? '', 'utf8');
  const valueOf = (field: string): string | undefined => new RegExp(`^${field}: (\\S+)$`, 'm').exec(config)?.[1];
  const idle = setInterval(() => undefined, 60_000);
  const stopped = new Promise<void>((resolve) => process.on('SIGTERM', () => resolve()));
  if (valueOf('region') === valueOf('primary_region')) {
    const service = spawn(process.execPath, [ENGINE, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    void stopped.then(() => service.kill('SIGTERM'));
    let made = 0;
    service.stdout.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      made += text.split('"backup_complete"').length - 1;
      if (made >= BACKUPS) service.kill('SIGKILL');
    });
  }
  await stopped;
  clearInterval(idle);
}
