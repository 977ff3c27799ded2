import { TOLERANCE } from './tolerance.ts';

/** When something was last heard, and when it was again after a silence of more than `silenceMs`, which began at `silentSinceMs`. */
export interface Contact {
  readonly silenceMs: number;
  heardAtMs: number;
  backAtMs: number;
  silentSinceMs: number;
}

export const NEVER_SILENT = { heardAtMs: 0, backAtMs: -Infinity, silentSinceMs: 0 } as const;

export function hear(contact: Contact, nowMs: number): void {
  if (isSilent(contact, nowMs)) {
    contact.backAtMs = nowMs;
    contact.silentSinceMs = contact.heardAtMs;
  }
  contact.heardAtMs = nowMs;
}

function isSilent({ heardAtMs, silenceMs }: Contact, nowMs: number): boolean {
  return nowMs - heardAtMs > silenceMs / TOLERANCE;
}

/** 0: it is silent now. */
export function sinceBackMs(contact: Contact, nowMs: number): number {
  return isSilent(contact, nowMs) ? 0 : nowMs - contact.backAtMs;
}

/** When the silence began that is there now, or was there last. */
export function silentSinceMs(contact: Contact, nowMs: number): number {
  return isSilent(contact, nowMs) ? contact.heardAtMs : contact.silentSinceMs;
}
