import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** The one entry of the keychain. */
const SERVICE = 'longwire';
const ACCOUNT = 'logins';
/** A locked keychain asks its owner. */
const MAX_WAIT_MS = 60_000;
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;

/** What keeps one password for this user. */
export interface Keychain {
  read(): Promise<string | undefined>;
  write(password: string): Promise<void>;
}

/**
 * The keychain of the system: that of macOS, the credential manager of Windows, the secret service of a
 * desktop. `undefined` where there is none, or `LONGWIRE_KEYCHAIN=off`.
 */
export async function systemKeychain(env: Variables): Promise<Keychain | undefined> {
  if (env['LONGWIRE_KEYCHAIN'] === 'off') return undefined;
  if (process.platform === 'linux' && !hasSessionBus(env)) return undefined;
  try {
    const { AsyncEntry } = await import('@napi-rs/keyring');
    // Never the keyring of the kernel: it is empty after a restart.
    const entry = new AsyncEntry(SERVICE, ACCOUNT, { linux: { store: 'secret-service' } });
    return {
      read: async () => (await entry.getPassword(AbortSignal.timeout(MAX_WAIT_MS))) ?? undefined,
      write: (password) => entry.setPassword(password, AbortSignal.timeout(MAX_WAIT_MS)),
    };
  } catch {
    return undefined;
  }
}

/** What seals the secrets of logins by a key that is in the keychain. */
export class Vault {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * The vault of a keychain. With `create` a key is made where there is none.
   *
   * @returns `undefined` without a keychain, without a key, and for a keychain that is locked.
   */
  static async open(
    keychain: Keychain | undefined,
    { create }: { create: boolean },
  ): Promise<Vault | undefined> {
    if (keychain === undefined) return undefined;
    try {
      let key = Buffer.from((await keychain.read()) ?? '', 'base64');
      if (key.length !== KEY_BYTES) {
        if (!create) return undefined;
        await keychain.write(randomBytes(KEY_BYTES).toString('base64'));
        // Another process may have made one, too: what is there now counts.
        key = Buffer.from((await keychain.read()) ?? '', 'base64');
      }
      return key.length === KEY_BYTES ? new Vault(key) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Seals a text; it opens only with the same `about`. */
  seal(text: string, about: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    cipher.setAAD(Buffer.from(about));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** @throws Error for what was sealed with another key or for another `about`. */
  open(sealed: string, about: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  }
}

/** Without one there is nobody to ask, and asking takes long. */
function hasSessionBus(env: Variables): boolean {
  const runtime = env['XDG_RUNTIME_DIR'];
  return (
    Boolean(env['DBUS_SESSION_BUS_ADDRESS']) ||
    (Boolean(runtime) && existsSync(join(String(runtime), 'bus')))
  );
}
