import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFileLock } from '../../src/login/file-lock.ts';
import type { Keychain } from '../../src/login/keychain.ts';
import { loginDirectory } from '../../src/login/login-directory.ts';
import type { Login } from '../../src/login/login-record.ts';
import { LoginStore } from '../../src/login/login-store.ts';
import { makeHome, type Home } from './support.ts';

let home: Home;
let directory: string;
let store: LoginStore;

beforeEach(async () => {
  home = await makeHome();
  directory = loginDirectory(home.env);
  store = new LoginStore(home);
});

afterEach(async () => {
  await home[Symbol.asyncDispose]();
});

function loginTo(resource: string): Login {
  return {
    resource,
    url: resource,
    target: resource,
    issuer: 'https://issuer.example',
    by: 'person',
    isRenewable: true,
    hasEnded: false,
    secrets: {
      client: { client_id: 'me' },
      tokens: { access_token: `token of ${resource}`, token_type: 'Bearer' },
    },
  };
}

describe('where a token goes', () => {
  it('is its resource and what is below it, and nowhere else', async () => {
    await store.write(loginTo('https://a.example/one/mcp'));
    const isSent = (url: string): boolean => store.covering(url) !== undefined;
    expect(isSent('https://a.example/one/mcp')).toBe(true);
    expect(isSent('https://a.example/one/mcp/?tenant=1')).toBe(true);
    expect(isSent('https://a.example/one/mcp/messages')).toBe(true);
    for (const other of [
      'https://a.example/one/mcp-other',
      'https://a.example/one',
      'https://a.example/two/mcp',
      'https://a.example:8443/one/mcp',
      'http://a.example/one/mcp',
      'https://a.example.evil/one/mcp',
      'https://a.example/one/mcp/../../two/mcp',
    ]) {
      expect({ other, isSent: isSent(other) }).toEqual({ other, isSent: false });
    }
  });

  it('is the nearest of several', async () => {
    await store.write(loginTo('https://a.example'));
    await store.write(loginTo('https://a.example/one'));
    expect(store.covering('https://a.example/one/mcp')?.facts.resource).toBe(
      'https://a.example/one',
    );
    expect(store.covering('https://a.example/two')?.facts.resource).toBe('https://a.example');
  });
});

describe.skipIf(process.platform === 'win32')('the file of a login', () => {
  it('is for its owner only, and is gone after the last one', async () => {
    const found = await store.write(loginTo('https://a.example/mcp'));
    expect(statSync(found.file).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toHaveLength(1);
    store.remove(found);
    expect(store.list()).toEqual([]);
    expect(() => statSync(directory)).toThrow('ENOENT');
  });

  it('is gone with all that a process that was killed has left of it', async () => {
    const found = await store.write(loginTo('https://a.example/mcp'));
    writeFileSync(`${found.file}.123.abc.new`, '{"secrets":{');
    const other = await store.write(loginTo('https://a.example/other'));
    store.remove(found);
    expect(readdirSync(directory).map((name) => join(directory, name))).toEqual([other.file]);
    store.remove(other);
    expect(() => statSync(directory)).toThrow('ENOENT');
  });

  it('is refused when others can read it, or it is a link, or others can write beside it', async () => {
    const found = await store.write(loginTo('https://a.example/mcp'));
    chmodSync(found.file, 0o640);
    expect(() => store.covering('https://a.example/mcp')).toThrow(/others can read it: chmod 600/);
    chmodSync(found.file, 0o600);
    chmodSync(directory, 0o777);
    expect(() => store.covering('https://a.example/mcp')).toThrow(/others can write to it/);
    chmodSync(directory, 0o700);
    const other = store.fileOf('https://a.example/other');
    symlinkSync(found.file, other);
    expect(() => store.covering('https://a.example/mcp')).toThrow(/it is a link/);
  });

  it('says what to do when it is damaged', async () => {
    const { file } = await store.write(loginTo('https://a.example/mcp'));
    writeFileSync(file, '{"version":1}');
    expect(() => store.list()).toThrow(/is no login of this version of longwire: delete it/);
  });
});

describe('the keychain', () => {
  const keychainOf = (kept: { password?: string; isLocked?: boolean }): Keychain => ({
    read: () =>
      kept.isLocked === true ? Promise.reject(new Error('locked')) : Promise.resolve(kept.password),
    write: (password) => Promise.resolve(void (kept.password = password)),
  });
  const withKeychain = (kept: Parameters<typeof keychainOf>[0]): LoginStore =>
    new LoginStore({ env: home.env, keychain: () => Promise.resolve(keychainOf(kept)) });

  it('seals what is secret, for every process of its owner', async () => {
    const kept = {};
    const login = loginTo('https://a.example/mcp');
    const found = await withKeychain(kept).write(login);
    expect(found.inKeychain).toBe(true);
    expect(readFileSync(found.file, 'utf8')).not.toContain('token of');
    expect(await withKeychain(kept).read(found)).toEqual(login);
  });

  it('opens nothing when it is locked, has another key, or the file was changed', async () => {
    const kept: { password?: string; isLocked?: boolean } = {};
    const found = await withKeychain(kept).write(loginTo('https://a.example/mcp'));
    const open = (store: LoginStore): Promise<unknown> => store.read(found);
    await expect(open(withKeychain({ ...kept, isLocked: true }))).rejects.toThrow(/does not open/);
    await expect(open(withKeychain({}))).rejects.toThrow(/run: longwire login/);
    await expect(open(store)).rejects.toThrow(/does not open/);
    const text = readFileSync(found.file, 'utf8');
    // A token must not be led to another issuer.
    writeFileSync(found.file, text.replace('issuer.example', 'other.example'));
    await expect(open(withKeychain(kept))).rejects.toThrow(/does not open/);
  });

  it('that is locked when somebody logs in leaves the file to its owner', async () => {
    const found = await withKeychain({ isLocked: true }).write(loginTo('https://a.example/mcp'));
    expect(found.inKeychain).toBe(false);
    expect(await store.read(found)).toMatchObject({ resource: 'https://a.example/mcp' });
  });
});

describe('the lock of a login', () => {
  it('lets one in at a time', async () => {
    const path = join(home.path, 'a', 'login');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside--;
    };
    await Promise.all(Array.from({ length: 40 }, () => withFileLock(path, work)));
    expect(most).toBe(1);
    expect(readdirSync(join(home.path, 'a'))).toHaveLength(1);
  });

  it('is free at once when its holder is dead', async () => {
    const path = join(home.path, 'login');
    const child = spawn(process.execPath, ['-e', '0']);
    const { pid } = child;
    await once(child, 'close');
    await withFileLock(path, () => {
      const ticket = `${path}.lock.1`;
      const holder = JSON.parse(readFileSync(ticket, 'utf8')) as object;
      writeFileSync(`${path}.lock.2`, JSON.stringify({ ...holder, pid }));
      return Promise.resolve();
    });
    expect(await withFileLock(path, () => Promise.resolve('in'))).toBe('in');
    expect(readdirSync(home.path).filter((name) => name.includes('lock'))).toEqual([
      'login.lock.3',
    ]);
  });
});
