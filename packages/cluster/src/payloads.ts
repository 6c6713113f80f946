import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** What is sealed begins with it: nothing else that is stored does. */
const MARK = '~';
const CIPHER = 'aes-256-gcm';
const ID_CHARS = 6;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** In the place of a key: text is stored as it is. */
export const PLAIN = 'plain';

/** Why something cannot be read that could be opened. */
export const OTHER_FORM = 'it does not have the form that this version knows';

/** A secret, or that there is none. */
export type EncryptionKey = Uint8Array | typeof PLAIN;

/** Where a payload belongs: what it is, and of what. It opens nowhere else. */
export type Place = readonly [kind: string, ...of: (string | number)[]];

/** Seals what is stored or sent, and reads it. */
export interface Seals {
  /** The text as it is stored: one line if it is encrypted. */
  seal(text: string, place: Place): string;
  /** The text that was stored there; `undefined` where it cannot be read, which the log is told. */
  read(stored: string, place: Place): string | undefined;
  /** Tells the log that something of this kind cannot be read, and why. */
  unreadable(kind: string, reason: string): void;
}

interface PayloadKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Encrypts what is stored, where the program gave keys for it, and binds it to its place. */
export class Payloads {
  readonly #prefix: string;
  readonly #keys: readonly PayloadKey[];
  readonly #current: PayloadKey | undefined;
  readonly #takesPlain: boolean;

  /**
   * @param keys the first one seals, all of them open.
   * @param prefix of all keys of the mount: a payload of one mount is none of another one.
   */
  constructor(keys: readonly EncryptionKey[], prefix: string) {
    this.#prefix = prefix;
    const secrets = keys.filter((key) => key !== PLAIN);
    this.#keys = secrets.map((given) => {
      const key = derived(given, 'longwire payloads');
      const id = createHash('sha256').update(key).digest('base64url').slice(0, ID_CHARS);
      return { id, key };
    });
    this.#current = keys[0] === PLAIN ? undefined : this.#keys[0];
    this.#takesPlain = secrets.length < keys.length;
  }

  /** Names of the keys that open, the one that seals first. */
  get ids(): string[] {
    const ids = this.#keys.map(({ id }) => id);
    if (this.#current === undefined) return [PLAIN, ...ids];
    return this.#takesPlain ? [...ids, PLAIN] : ids;
  }

  /** The text as it is stored: one line if it is encrypted. */
  seal(text: string, place: Place): string {
    const current = this.#current;
    if (current === undefined) return text;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, current.key, iv).setAAD(this.#bytesOf(place));
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]);
    const bytes = Buffer.concat([sealed, cipher.getAuthTag()]);
    return `${MARK}${current.id}${bytes.toString('base64')}`;
  }

  /** Whether it was stored as it would be now. */
  isCurrent(stored: string): boolean {
    const current = this.#current;
    return current === undefined ? !stored.startsWith(MARK) : stored.startsWith(MARK + current.id);
  }

  /**
   * The text that was stored at this place.
   *
   * @throws Error that says why it cannot be opened, and nothing of what it holds.
   */
  open(stored: string, place: Place): string {
    if (!stored.startsWith(MARK)) {
      if (this.#takesPlain) return stored;
      throw new Error(
        "it is not encrypted, and this node has keys: to turn encryption on node by node, give all of them keys: ['plain', KEY], then [KEY, 'plain'], then [KEY]",
      );
    }
    const id = stored.slice(MARK.length, MARK.length + ID_CHARS);
    const known = this.#keys.find((key) => key.id === id);
    if (known === undefined) {
      throw new Error(
        `no key of redis(…, { encrypt }) has the id ${id}; give the keys that the other nodes have, or where this is the Redis of another application, another prefix`,
      );
    }
    const bytes = Buffer.from(stored.slice(MARK.length + ID_CHARS), 'base64');
    try {
      const iv = bytes.subarray(0, IV_BYTES);
      const decipher = createDecipheriv(CIPHER, known.key, iv, { authTagLength: TAG_BYTES });
      decipher
        .setAAD(this.#bytesOf(place))
        .setAuthTag(bytes.subarray(IV_BYTES).subarray(-TAG_BYTES));
      return (
        decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') +
        decipher.final('utf8')
      );
    } catch {
      throw new Error('it was changed, or belongs to another place');
    }
  }

  #bytesOf(place: Place): Buffer {
    return Buffer.from(JSON.stringify([this.#prefix, ...place]));
  }
}

/** A key for one purpose. */
export function derived(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', purpose, 32));
}

/** What JSON says; `undefined` where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What is stored as JSON at a place, if it has this form; the log is told where it does not. */
export function readJson<Value>(
  seals: Seals,
  { stored, place, is }: { stored: string; place: Place; is: (value: unknown) => value is Value },
): Value | undefined {
  const text = seals.read(stored, place);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (is(value)) return value;
  seals.unreadable(place[0], OTHER_FORM);
  return undefined;
}

/** Whether it has properties. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
