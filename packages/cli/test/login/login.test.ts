import { chmodSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../../../test/support/browser.ts';
import {
  MACHINE,
  startOAuthServer,
  type OAuthServer,
} from '../../../../test/support/oauth-server.ts';
import { until } from '../../../../test/support/until.ts';
import { logIn, makeHome, run, start, type Home } from './support.ts';

let server: OAuthServer;
let home: Home;

beforeEach(async () => {
  [server, home] = await Promise.all([startOAuthServer(), makeHome()]);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const call = (tool: string, ...words: string[]): ReturnType<typeof run> =>
  run(['call', server.url, tool, ...words], home);

describe('longwire login', () => {
  it('says where to log in, logs in, and every command is let in', async () => {
    const before = await call('read');
    expect(before).toMatchObject({ code: 4, stdout: '' });
    expect(before.stderr).toBe(
      `error: ${server.url} wants a login at ${server.issuer}; run: longwire login ${server.url}\n`,
    );
    const { code, stdout, stderr, page } = await logIn(server.url, home);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Logged in to ${server.url} at ${server.issuer}.\n`,
    });
    expect(stderr).toContain('There is no keychain here');
    expect(page).toContain('You can close this window');
    expect(await call('read')).toEqual({ code: 0, stdout: 'read done\n', stderr: '' });
  });

  it('renews a token that has expired', async () => {
    await logIn(server.url, home);
    for (const rounds of [1, 2]) {
      await call('read');
      server.expireTokens();
      expect(await call('read')).toMatchObject({ code: 0, stderr: '' });
      expect(server.granted['refresh_token']).toBe(rounds);
    }
  });

  it('takes the pasted address', async () => {
    const running = start(['login', server.url, '--no-browser'], home);
    const address = await running.said(/^ {2}(http:\S+)$/m);
    const isBack = ({ pathname }: URL): boolean => pathname === '/callback';
    const { url } = await new Browser().open(address, { until: isBack });
    running.type(url.href);
    expect(await running.done).toMatchObject({ code: 0 });
    expect(await call('read')).toMatchObject({ code: 0 });
  });

  it('takes no code alone from an issuer that says who it is with each', async () => {
    const running = start(['login', server.url, '--no-browser'], home);
    await running.said(/^ {2}(http:\S+)$/m);
    running.type('a-code');
    const { code, stderr } = await running.done;
    expect({ code, stderr }).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('paste the whole address') as string,
    });
  });

  it.each([
    ['', 'nothing was pasted'],
    ['http://127.0.0.1/callback?x=1', 'the pasted address has no code'],
    ['two words', 'neither an address nor a code'],
    ['http://127.0.0.1/callback?code=1&state=another&iss=x', 'belongs to no authorization'],
  ])('refuses the pasted "%s"', async (line, said) => {
    const running = start(['login', server.url, '--no-browser'], home);
    await running.said(/^ {2}(http:\S+)$/m);
    running.type(line);
    expect(await running.done).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(said) as string,
    });
  });

  it('shows a code for another device', async () => {
    const running = start(['login', server.url, '--device', '--json'], home);
    const address = await running.said(/^or open (\S+)$/m);
    const browser = new Browser();
    const confirm = await browser.submit(await browser.open(address), {});
    await browser.submit(confirm, { confirm: 'yes' });
    const { code, stdout } = await running.done;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ server: server.url, issuer: server.issuer });
    expect(await call('read')).toMatchObject({ code: 0 });
  });

  it('logs in as the program itself', async () => {
    home.env['SECRET'] = MACHINE.secret;
    const words = [
      '--client-credentials',
      '--client-id',
      MACHINE.id,
      '--client-secret-env',
      'SECRET',
    ];
    const { code, stdout } = await run(['login', server.url, ...words], home);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('as the program itself') as string,
    });
    delete home.env['SECRET'];
    await call('read');
    server.expireTokens();
    expect(await call('read')).toMatchObject({ code: 0 });
    expect(server.granted['client_credentials']).toBe(2);
  });

  it('takes a client that is registered', async () => {
    const { code } = await logIn(server.url, home, ['--client-id', 'given']);
    expect(code).toBe(0);
    expect(server.requests).not.toContain('POST /reg');
  });

  it('asks for more scopes where a call needs them', async () => {
    await logIn(server.url, home);
    const refused = await call('write');
    expect(refused.code).toBe(4);
    const [, scopes = ''] = /run: longwire login \S+ --scope '([^']+)'/.exec(refused.stderr) ?? [];
    expect(scopes.split(' ')).toContain('notes:write');
    await logIn(server.url, home, ['--scope', scopes]);
    expect(await call('write')).toMatchObject({ code: 0, stdout: 'write done\n' });
  });

  it.each(['', '/sse'])('works for the address with the path "%s"', async (path) => {
    const address = new URL(server.url).origin + path;
    const refused = await run(['call', address, 'read'], home);
    expect(refused.stderr).toContain(`run: longwire login ${address}\n`);
    expect(await logIn(address, home)).toMatchObject({ code: 0 });
    expect(await run(['call', address, 'read'], home)).toMatchObject({ code: 0 });
    server.expireTokens();
    expect(await run(['call', address, 'read'], home)).toMatchObject({ code: 0 });
    expect(await run(['whoami', address], home)).toMatchObject({ code: 0 });
    expect(await run(['logout', address], home)).toMatchObject({ code: 0 });
  });

  it('says that the person refused', async () => {
    server.decision = 'deny';
    const { code, stderr, page } = await logIn(server.url, home);
    expect(code).toBe(4);
    expect(stderr).toContain('Ada said no');
    expect(page).toContain('You are not logged in');
    expect(await run(['whoami', '--json'], home)).toMatchObject({ code: 0, stdout: '[]\n' });
  });

  it('ends with Ctrl-C while it waits', async () => {
    const running = start(['login', server.url], home);
    await running.said(/(http:\S+\/[0-9a-f]{32})/);
    running.interrupt();
    expect(await running.done).toMatchObject({ code: 130 });
  });

  it('gives up after --timeout', async () => {
    const { code, stderr } = await run(['login', server.url, '--timeout', '1'], home);
    expect({ code, stderr }).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('nobody logged in within 1 second') as string,
    });
  });
});

describe('longwire whoami and logout', () => {
  it('tell who it is, and end it', async () => {
    await logIn(server.url, home, ['--scope', 'openid offline_access notes:read']);
    const { stdout } = await run(['whoami', server.url, '--json'], home);
    expect(JSON.parse(stdout)).toMatchObject({
      server: server.url,
      issuer: server.issuer,
      who: { sub: 'ada', name: 'Ada', email: 'ada@example.com' },
      state: 'valid',
      renewable: true,
      kept: { keychain: false },
    });
    expect((await run(['whoami'], home)).stdout).toContain('Ada <ada@example.com>');
    expect(await run(['logout', server.url], home)).toEqual({
      code: 0,
      stdout: `Logged out of ${server.url}.\n`,
      stderr: '',
    });
    expect(server.requests).toContain('POST /token/revocation');
    expect(await run(['whoami', server.url], home)).toMatchObject({ code: 4 });
    expect(await call('read')).toMatchObject({ code: 4 });
  });

  it('--json has no token, whatever is asked', async () => {
    await logIn(server.url, home);
    const folder = `${home.env['XDG_CONFIG_HOME']}/longwire/logins`;
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
    const { secrets } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as {
      secrets: { tokens: { access_token: string; refresh_token: string } };
    };
    const said = [
      await run(['whoami', '--json'], home),
      await run(['tools', server.url, '-v'], home),
      await run(['tools', server.url, '--trace'], home),
      await run(['inspect', server.url, '--json', '-v'], home),
    ];
    const text = JSON.stringify(said);
    expect(text).not.toContain(secrets.tokens.access_token);
    expect(text).not.toContain(secrets.tokens.refresh_token);
  });
});

it.skipIf(process.platform === 'win32')('a file that others can read is not used', async () => {
  await logIn(server.url, home);
  const [{ kept }] = JSON.parse((await run(['whoami', '--json'], home)).stdout) as [
    { kept: { file: string } },
  ];
  chmodSync(kept.file, 0o644);
  const { code, stderr } = await call('read');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `error: the logins in ${kept.file} are not used, because others can read it: chmod 600 ${kept.file}, or log in again\n`,
  });
});

it('longwire dash records that a login was renewed', async () => {
  await logIn(server.url, home);
  await call('read');
  server.expireTokens();
  const running = start(['dash', server.url, '--record', 'seen.ndjson', '--no-open'], home);
  const file = join(home.path, 'seen.ndjson');
  await until(() => readFileSync(file, 'utf8').includes('"authorization"'));
  running.interrupt();
  await running.done;
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines.filter((line) => 'type' in line && line.type === 'authorization')).toEqual([
    expect.objectContaining({ status: 401, decision: 'retry' }),
  ]);
});

describe('what goes before a login', () => {
  it('is --header, and MCP_API_KEY', async () => {
    await logIn(server.url, home);
    const header = await call('read', '--header', 'Authorization: Bearer other');
    expect(header.code).toBe(4);
    expect(header.stderr).toContain('the credentials of --header were sent');
    home.env['MCP_API_KEY'] = 'a-key';
    home.env['MCP_SERVER_URL'] = server.url;
    const key = await call('read');
    expect(key.code).toBe(4);
    expect(key.stderr).toContain('MCP_API_KEY was sent');
  });
});

it('a command that waits for another process ends with Ctrl-C, and the login stays', async () => {
  await logIn(server.url, home);
  const { kept } = JSON.parse((await run(['whoami', server.url, '--json'], home)).stdout) as {
    kept: { file: string };
  };
  // Somebody who says for an hour that it lives.
  const lock = `${kept.file}.lock.9`;
  writeFileSync(lock, '{}');
  const later = new Date(Date.now() + 3_600_000);
  utimesSync(lock, later, later);
  const running = start(['logout', server.url], home);
  // Once: a second time ends a command whatever it does.
  setTimeout(() => running.interrupt(), 300);
  const { code } = await running.done;
  expect(code).toBe(130);
  expect((await run(['whoami', server.url], home)).code).toBe(0);
});

it.each(['whoami', 'logout'])('%s without a login says that nothing was sent', async (command) => {
  const { code, stdout } = await run([command, server.url, '--json'], home);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: 'unauthorized',
      certainty: 'not-sent',
      hint: `run: longwire login ${server.url}`,
    },
  });
  expect(server.requests).toEqual([]);
});
