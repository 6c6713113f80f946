import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';

/** Where the keys of an issuer are, and within which limits they are fetched. */
export interface RemoteKeysOptions {
  readonly url: URL;
  /** How long a fetch may take, body included, in milliseconds. */
  readonly timeoutMs: number;
  /** How long the key set may be, in bytes. */
  readonly maxBytes: number;
  /** Keys older than this are fetched again, while requests are still checked by the old ones. */
  readonly refreshMs: number;
  /** Keys older than this are not used: an issuer that revokes one expects an end. */
  readonly maxAgeMs: number;
  /** How long after a fetch an unknown key does not cause another one. */
  readonly cooldownMs: number;
  /** How long after a fetch that failed there is not another one. */
  readonly retryMs: number;
}

/** The keys could not be had: nothing is known of the token. */
export class KeysUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the keys of the issuer are not available', { cause });
    this.name = 'KeysUnavailableError';
  }
}

/**
 * The keys of an issuer, fetched when they are needed and kept. An issuer that is not reachable for a
 * while stops nobody whose key is known.
 *
 * The returned function fails as jose's does for a token without a key, and with
 * {@link KeysUnavailableError} where the keys could not be fetched.
 */
export function createRemoteKeys(options: RemoteKeysOptions): JWTVerifyGetKey {
  const { url, timeoutMs, refreshMs, maxAgeMs, cooldownMs, retryMs } = options;
  let fetchedAt = -Infinity;
  let failedAt = -Infinity;
  let failure: unknown;
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: maxAgeMs,
    [customFetch]: async (address, init) => {
      // Otherwise a flood of tokens would become a flood of fetches.
      if (performance.now() - failedAt < retryMs) throw failure;
      return fetchBounded(address, init, options.maxBytes);
    },
  });
  const reload = async (): Promise<void> => {
    try {
      await keys.reload();
      fetchedAt = performance.now();
    } catch (error) {
      note(error);
      throw error;
    }
  };
  const note = (error: unknown): void => {
    if (performance.now() - failedAt < retryMs) return;
    failedAt = performance.now();
    failure = error;
  };
  return async (header, token) => {
    try {
      if (!keys.fresh) await reload();
      else if (performance.now() - fetchedAt >= refreshMs && !keys.reloading) {
        // Nobody waits for it, and one that fails is tried again.
        reload().catch(() => {});
      }
      return await keys(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      note(error);
      throw new KeysUnavailableError(error);
    }
  };
}

/** The key set has been read, and has no key for this token. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Reads no more than is allowed; the signal ends the reading, too. */
async function fetchBounded(
  url: string,
  init: { headers: Headers; method: 'GET'; redirect: 'manual'; signal: AbortSignal },
  maxBytes: number,
): Promise<Response> {
  const response = await fetch(url, init);
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the key set was answered with ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes)
      throw new Error(`the key set is longer than ${maxBytes} bytes (maxJwksBytes)`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks));
}
