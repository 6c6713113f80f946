import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usageError } from '../command-error.js';
import { isJsonObject } from '../json-object.js';
import { shellWord } from '../shell-word.js';
import { removeLock, withFileLock } from './file-lock.js';
import { systemKeychain, Vault, type Keychain } from './keychain.js';
import { loginDirectory } from './login-directory.js';
import { covers, resourceOf, type Login, type LoginFacts } from './login-record.js';
import { readPrivateFile, removePrivateFile, writePrivateFile } from './private-file.js';

/** What is on the disk: the facts, and the secrets as they are or sealed. */
type Written = LoginFacts & { version: 1 } & ({ secrets: Login['secrets'] } | { sealed: string });

/** A login as it is found, before its secrets are read. */
export interface FoundLogin {
  readonly file: string;
  readonly facts: LoginFacts;
  /** Whether its secrets need the keychain. */
  readonly inKeychain: boolean;
}

/** Given what a store works with. */
export interface LoginStoreOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: that of the system. */
  readonly keychain?: () => Promise<Keychain | undefined>;
}

/** The logins of this user: a file each, for its owner only, with the secrets sealed by the keychain. */
export class LoginStore {
  readonly #directory: string;
  readonly #keychain: () => Promise<Keychain | undefined>;
  #vault: Promise<Vault | undefined> | undefined;

  constructor({ env, keychain = () => systemKeychain(env) }: LoginStoreOptions) {
    this.#directory = loginDirectory(env);
    this.#keychain = keychain;
  }

  /**
   * All logins.
   *
   * @throws LongwireError (code `config`) for a file that others can read, or that is damaged.
   */
  list(): FoundLogin[] {
    return this.#names().flatMap((name) => this.#find(join(this.#directory, name)) ?? []);
  }

  /** Whether a login can be kept. */
  get isWritable(): boolean {
    try {
      accessSync(this.#directory, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * The login of a file.
   *
   * @throws as {@link list}.
   */
  at(file: string): FoundLogin | undefined {
    return dirname(file) === this.#directory ? this.#find(file) : undefined;
  }

  /**
   * The login whose tokens may be sent to a URL; the nearest of several.
   *
   * @throws as {@link list}.
   */
  covering(url: string | URL): FoundLogin | undefined {
    const prefix = prefixOf(url);
    return this.#names()
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => this.#find(join(this.#directory, name)) ?? [])
      .filter(({ facts }) => covers(facts.resource, url))
      .toSorted((a, b) => a.facts.resource.length - b.facts.resource.length)
      .at(-1);
  }

  /** The login that a person means by a server: as it was written, or with its endpoint. */
  meantBy(target: string): FoundLogin | undefined {
    const asked = resourceOf(target);
    const isMeant = ({ facts }: FoundLogin): boolean =>
      resourceOf(facts.target) === asked ||
      [`${asked}/mcp`, `${asked}/sse`].includes(facts.resource);
    return this.covering(target) ?? this.list().find(isMeant);
  }

  /**
   * A login with its secrets; `undefined` if there is none any more.
   *
   * @throws LongwireError (code `config`): the keychain does not open it; as {@link list}.
   */
  async read({ file }: Pick<FoundLogin, 'file'>): Promise<Login | undefined> {
    const written = readWritten(file);
    if (written === undefined || 'secrets' in written) return written;
    const { sealed } = written;
    const facts = factsOf(written);
    const vault = await this.#openVault();
    try {
      if (vault === undefined) throw new Error('it is locked, or not there');
      return {
        ...facts,
        secrets: JSON.parse(vault.open(sealed, aboutOf(facts))) as Login['secrets'],
      };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw usageError(
        `the keychain does not open the login for ${facts.resource} (${why}): unlock it, or run: longwire login ${shellWord(facts.target)}`,
        { code: 'config', cause },
      );
    }
  }

  /**
   * Keeps a login in place of an older one.
   *
   * @returns where its secrets are.
   * @throws what writing fails with.
   */
  async write(login: Login): Promise<FoundLogin> {
    const { secrets } = login;
    const facts = factsOf(login);
    const vault = await this.#openVault({ create: true });
    const kept: Written =
      vault === undefined
        ? { version: 1, ...facts, secrets }
        : { version: 1, ...facts, sealed: vault.seal(JSON.stringify(secrets), aboutOf(facts)) };
    const file = this.fileOf(facts.resource);
    writePrivateFile(file, `${JSON.stringify(kept, undefined, 2)}\n`);
    return { file, facts, inKeychain: vault !== undefined };
  }

  /** Forgets a login. */
  remove({ file }: Pick<FoundLogin, 'file'>): void {
    removePrivateFile(file);
    removeLock(file);
    try {
      // Commands look no further than for the directory.
      if (this.#names().length === 0) rmdirSync(this.#directory);
    } catch {
      // Somebody logs in meanwhile.
    }
  }

  /**
   * Runs `work` while no other process changes this login.
   *
   * @throws what `signal` was aborted with while it was waited for; what `work` throws.
   */
  async locked<T>(
    { file }: Pick<FoundLogin, 'file'>,
    work: () => Promise<T>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<T> {
    return await withFileLock(file, work, { signal });
  }

  /** The file of a resource. */
  fileOf(resource: string): string {
    const digest = createHash('sha256').update(resource).digest('hex').slice(0, 16);
    return join(this.#directory, `${prefixOf(resource)}${digest}.json`);
  }

  #find(file: string): FoundLogin | undefined {
    const written = readWritten(file);
    if (written === undefined) return undefined;
    return { file, facts: factsOf(written), inKeychain: 'sealed' in written };
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory).filter((name) => name.endsWith('.json'));
    } catch {
      return [];
    }
  }

  async #openVault({ create = false } = {}): Promise<Vault | undefined> {
    const opened = await (this.#vault ??= this.#keychain().then((keychain) =>
      Vault.open(keychain, { create }),
    ));
    if (opened !== undefined || !create) return opened;
    // Where reading found no key, writing makes one.
    this.#vault = this.#keychain().then((keychain) => Vault.open(keychain, { create }));
    return await this.#vault;
  }
}

/** What names of files of one host begin with. */
function prefixOf(url: string | URL): string {
  return `${new URL(url).host.replaceAll(/[^\w.-]/g, '_').slice(0, 100)}-`;
}

/** A sealed login works for its own resource and issuer only. */
function aboutOf({ resource, issuer }: Pick<LoginFacts, 'resource' | 'issuer'>): string {
  return JSON.stringify([resource, issuer]);
}

/** Without what is secret, and without what else a file may hold. */
function factsOf(login: LoginFacts): LoginFacts {
  const { resource, url, target, issuer, by, identity, scope, expiresAt } = login;
  return {
    resource,
    url,
    target,
    issuer,
    by,
    ...(identity !== undefined && { identity }),
    ...(scope !== undefined && { scope }),
    ...(expiresAt !== undefined && { expiresAt }),
    isRenewable: login.isRenewable,
    hasEnded: login.hasEnded,
  };
}

function readWritten(file: string): Written | undefined {
  const text = readPrivateFile(file);
  if (text === undefined) return undefined;
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (isWritten(written)) return written;
  throw usageError(`${file} is no login of this version of longwire: delete it, and log in again`, {
    code: 'config',
  });
}

function isWritten(value: unknown): value is Written {
  if (!isJsonObject(value) || value['version'] !== 1) return false;
  const { secrets, sealed } = value;
  const isUrl = (name: string): boolean => URL.canParse(String(value[name]));
  const isClient = isJsonObject(secrets) && isJsonObject(secrets['client']);
  return (
    ['resource', 'url', 'target', 'issuer'].every(isUrl) && (isClient || typeof sealed === 'string')
  );
}
