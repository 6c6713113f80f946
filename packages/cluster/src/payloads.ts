import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** What is sealed begins with it: nothing else that is stored does. */
const MARK = '~';
const ID_CHARS = 6;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface PayloadKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Encrypts what is stored, where the program gave keys for it. */
export class Payloads {
  readonly #keys: readonly PayloadKey[];

  /** @param keys the first one encrypts, all of them decrypt; none for no encryption. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((given) => {
      const key = derived(given, 'longwire payloads');
      const id = createHash('sha256').update(key).digest('base64url').slice(0, ID_CHARS);
      return { id, key };
    });
  }

  /** The text as it is stored: one line if it is encrypted. */
  seal(text: string): string {
    const [current] = this.#keys;
    if (current === undefined) return text;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', current.key, iv);
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]);
    const bytes = Buffer.concat([sealed, cipher.getAuthTag()]);
    return `${MARK}${current.id}${bytes.toString('base64')}`;
  }

  /** Whether it was stored as it would be now. */
  isCurrent(stored: string): boolean {
    const [current] = this.#keys;
    return stored.startsWith(current === undefined ? '' : MARK + current.id);
  }

  /**
   * The text that was stored. What was stored before encryption was turned on is read as it is.
   *
   * @throws Error where no key of this node opens it.
   */
  open(stored: string): string {
    if (!stored.startsWith(MARK)) return stored;
    const id = stored.slice(MARK.length, MARK.length + ID_CHARS);
    const known = this.#keys.find((key) => key.id === id);
    if (known === undefined) {
      throw new Error(
        `no key of redis(…, { encrypt }) has the id ${id}; give the keys that the other nodes have, or where this is the Redis of another application, another prefix`,
      );
    }
    const bytes = Buffer.from(stored.slice(MARK.length + ID_CHARS), 'base64');
    const decipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return (
      decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') +
      decipher.final('utf8')
    );
  }
}

/** A key for one purpose. */
export function derived(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', purpose, 32));
}
