/**
 * Who keeps the key that epoch keys are encrypted with. The key itself never leaves the service. Implementations keep the conformance suite.
 *
 * Errors: EngineError `key-service-failed` when the service refuses (wrong AAD, another key, no permission) or cannot be reached, `bad-request` when
 * what is given can never be wrapped.
 */
export interface KeyService {
  /** Which kind wrote a wrap; with keyName it tells what is needed to open it. Stored in the clear. */
  readonly kind: 'local-file' | 'cloud-kms' | 'x25519';
  readonly keyName: string;
  /** Encrypts a key of 1 to MAX_WRAP_BYTES bytes. What comes out opens with the same AAD only, and differs each time. */
  wrap(plain: Uint8Array, aad: Uint8Array, signal?: AbortSignal): Promise<Buffer>;
  unwrap(wrapped: Uint8Array, aad: Uint8Array, signal?: AbortSignal): Promise<Buffer>;
}

export const MAX_WRAP_BYTES = 1024;
