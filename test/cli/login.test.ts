import { chmod, chown, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logIn, makeHome, type Home } from '../../packages/cli/test/login/support.ts';
import { startOAuthServer, type OAuthServer } from '../support/oauth-server.ts';
import { runCli, startCli, type CliOptions, type CliRun } from '../support/run-cli.ts';

/** How often two processes find one token expired at once. */
const ROUNDS = 100;
/** Nobody, in most systems: rights do not count for root. */
const NOBODY = 65_534;

let server: OAuthServer;
let home: Home;

beforeEach(async () => {
  [server, home] = await Promise.all([startOAuthServer(), makeHome()]);
  expect(await logIn(server.url, home)).toMatchObject({ code: 0 });
  expect(await call()).toEqual(DONE);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const DONE: CliRun = { code: 0, signal: null, stdout: 'read done\n', stderr: '' };

const call = (options: CliOptions = {}): Promise<CliRun> =>
  runCli(['call', server.url, 'read'], { env: home.env, killAfterMs: 60_000, ...options });

test('two processes that find one token expired at once renew it once, a hundred times', async () => {
  for (let round = 1; round <= ROUNDS; round++) {
    server.expireTokens();
    expect({ round, runs: await Promise.all([call(), call()]) }).toEqual({
      round,
      runs: [DONE, DONE],
    });
    expect(server.granted['refresh_token']).toBe(round);
  }
  // Whoever uses a refresh token twice loses the login.
  expect(server.refused).toEqual([]);
}, 900_000);

describe.each(['before', 'after'] as const)(
  'a process that is killed %s the issuer takes the old token',
  (when) => {
    test('loses nothing, and keeps nobody waiting', async () => {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => (release = resolve));
      const held = new Promise<void>((onHeld) => (server.hold = { when, until, onHeld }));
      server.expireTokens();
      await using killed = await startCli(['call', server.url, 'read'], { env: home.env });
      await held;
      killed.kill('SIGKILL');
      expect(await killed.done).toMatchObject({ signal: 'SIGKILL' });
      server.hold = undefined;
      const next = call();
      release();
      expect(await next).toEqual(DONE);
      expect(server.granted['refresh_token']).toBe(1);
      server.expireTokens();
      expect(await call()).toEqual(DONE);
      expect(server.refused).toEqual([]);
    });
  },
);

test('a whole group of processes that is killed in a renewal loses nothing', async () => {
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));
  const held = new Promise<void>((onHeld) => (server.hold = { when: 'before', until, onHeld }));
  server.expireTokens();
  await using killed = await startCli(['call', server.url, 'read'], { env: home.env });
  await held;
  // Its renewal, too: nothing was taken yet.
  server.hold = undefined;
  await killed[Symbol.asyncDispose]();
  expect(await call()).toEqual(DONE);
  release();
  expect(server.refused).toEqual([]);
});

test.skipIf(process.platform === 'win32')(
  'in a home that is read-only the login works, and the new token is said to be lost',
  async () => {
    const logins = join(home.path, 'config', 'longwire', 'logins');
    const user = process.geteuid?.() === 0 ? NOBODY : undefined;
    const files = (await readdir(logins)).map((name) => join(logins, name));
    const folders = [logins, dirname(logins), join(home.path, 'config'), home.path];
    for (const path of [...files, ...folders]) {
      if (user !== undefined) await chown(path, user, user);
    }
    for (const folder of folders) await chmod(folder, 0o500);
    try {
      expect(await call({ user, cwd: '/' })).toEqual(DONE);
      server.expireTokens();
      const { code, stdout, stderr } = await call({ user, cwd: '/' });
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'read done\n' });
      expect(stderr).toMatch(/^The new token for \S+ could not be kept \(E(ACCES|PERM|ROFS).*\)/);
    } finally {
      for (const folder of folders.toReversed()) await chmod(folder, 0o700);
    }
  },
);
