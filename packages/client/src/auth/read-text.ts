import { Buffer } from 'node:buffer';
import { LongwireError } from '../errors.js';

/** What one document of an authorization server may hold, once decoded. */
const MAX_BYTES = 1024 * 1024;

/**
 * The body of a response, within a bound.
 *
 * @throws LongwireError `limit-exceeded`; what reading fails with.
 */
export async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) {
      throw new LongwireError(`a response of the authorization server is over ${MAX_BYTES} bytes`, {
        code: 'limit-exceeded',
        certainty: 'refused',
      });
    }
    chunks.push(chunk);
  }
  // Without the byte order mark, which JSON may not have.
  return new TextDecoder().decode(Buffer.concat(chunks));
}
