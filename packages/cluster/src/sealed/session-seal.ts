import type { SealedSession } from '@longwire/server';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { derived } from '../payloads.js';

const CIPHER = 'aes-256-gcm';
const KEY_ID_BYTES = 3;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Names the form of what is sealed. */
const FORM = 1;
/** A session's id goes with every request, in a header; servers take some 16 KiB of them in all. */
const MAX_ID_CHARS = 4_096;
/** Nothing that was sealed is longer: it has passed the limit above. */
const MAX_SEALED_BYTES = 1_048_576;

interface SealingKey {
  readonly id: Buffer;
  readonly key: Uint8Array;
}

/** How ids are sealed. */
export interface SessionSealOptions {
  /** The first one seals, all of them open. */
  readonly keys: readonly Uint8Array[];
  /** Ids of one mount are none of another one. */
  readonly mount: string;
  /** How long an id is good, in milliseconds. */
  readonly lifetimeMs: number;
  /** Default: the clock. */
  readonly now?: () => number;
}

/** What a sealed id says. */
export interface OpenedSession extends SealedSession {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/**
 * Makes the ids of sessions of what the sessions are. Whoever has the key opens them; nobody else reads
 * or makes one, nor changes it.
 */
export class SessionSeal {
  readonly #keys: readonly SealingKey[];
  readonly #mount: Buffer;
  readonly #lifetimeMs: number;
  readonly #now: () => number;

  constructor({ keys, mount, lifetimeMs, now = Date.now }: SessionSealOptions) {
    this.#keys = keys.map((given) => {
      const key = derived(given, 'longwire sealed sessions');
      const id = createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
      return { id, key };
    });
    this.#mount = Buffer.from(mount);
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
  }

  /** The id of a session; `undefined` where it would be too long. */
  seal({ principal, initialize }: SealedSession): string | undefined {
    const [current] = this.#keys;
    if (current === undefined) throw new TypeError('there is no key');
    const said = JSON.stringify([FORM, this.#now(), principal, initialize]);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, current.key, iv).setAAD(this.#mount);
    const sealed = Buffer.concat([
      current.id,
      iv,
      cipher.update(deflateRawSync(said)),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    const id = sealed.toString('base64url');
    return id.length > MAX_ID_CHARS ? undefined : id;
  }

  /** What an id says; `undefined` where it is none of ours, or its time is over. */
  open(id: string): OpenedSession | undefined {
    if (id.length > MAX_ID_CHARS) return undefined;
    const sealed = Buffer.from(id, 'base64url');
    // The same bytes in other characters would be another session to whoever compares ids.
    if (sealed.toString('base64url') !== id) return undefined;
    const keyId = sealed.subarray(0, KEY_ID_BYTES);
    for (const { id: known, key } of this.#keys) {
      if (!known.equals(keyId)) continue;
      const text = this.#decrypted(sealed.subarray(KEY_ID_BYTES), key);
      // What comes now was made by a node of ours.
      if (text !== undefined) return this.#read(text);
    }
    return undefined;
  }

  #decrypted(sealed: Buffer, key: Uint8Array): string | undefined {
    if (sealed.length <= IV_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(this.#mount).setAuthTag(sealed.subarray(-TAG_BYTES));
    const packed = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return inflateRawSync(packed, { maxOutputLength: MAX_SEALED_BYTES }).toString();
  }

  #read(text: string): OpenedSession | undefined {
    const [form, createdAt, principal, initialize] = JSON.parse(text) as [
      unknown,
      number,
      string,
      OpenedSession['initialize'],
    ];
    if (form !== FORM || this.#now() - createdAt > this.#lifetimeMs) return undefined;
    return { createdAt, principal, initialize };
  }
}
