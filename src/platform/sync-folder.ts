import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes the names in a folder durable: a synced file whose name is not is gone after a power cut. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
