import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authority, companyClient, strangeClient } from '../../../test/support/certificates.ts';
import {
  startCompanyNetwork,
  startConnectProxy,
  type CompanyNetwork,
  type ConnectProxyOptions,
} from '../../../test/support/connect-proxy.ts';
import { startOAuthServer } from '../../../test/support/oauth-server.ts';
import { removeFolder } from '../../../test/support/remove-folder.ts';
import { createDemoServer } from '../src/demo/server.ts';
import { listenClaude } from './fake-servers.ts';
import { logIn, makeHome, run as runAt } from './login/support.ts';
import { run, type Run } from './run.ts';
import { writeFiles } from './hosts/write-files.ts';

let serving: Serving;
let company: CompanyNetwork;
let folder: string;
beforeEach(async () => {
  serving = await serve({
    create: () => createDemoServer(),
    allowedHosts: ['mcp.company.example', '127.0.0.1'],
  });
  company = await startCompanyNetwork(new URL(serving.url).origin);
  folder = mkdtempSync(join(tmpdir(), 'longwire-network-'));
  writeFiles(folder, {
    'ca.pem': authority,
    'me.crt': companyClient.cert,
    'me.key': companyClient.key,
    'both.pem': `${companyClient.cert}\n${companyClient.key}\n`,
    'other.key': strangeClient.key,
    'stranger.pem': `${strangeClient.cert}\n${strangeClient.key}\n`,
    'text.txt': 'hush-hush',
  });
});
afterEach(async () => {
  await company[Symbol.asyncDispose]();
  await serving.close();
  await removeFolder(folder);
});

const target = (): string => `${company.origin}/mcp`;
const WITH = ['--ca', 'ca.pem', '--cert', 'me.crt', '--key', 'me.key'];

/** Runs the command in the folder. */
const here = (args: string[], env: Record<string, string> = {}): Promise<Run> =>
  run(args, { env, cwd: folder });

/** What a call of the demo's tool `add` prints. */
const SUM = { code: 0, stderr: '', stdout: '1 + 2 = 3\n' };
const call = (...args: string[]): string[] => ['call', target(), 'add', 'a=1', 'b=2', ...args];

describe('a server of a company', () => {
  it('is reached through the proxy of the environment, with its authority and a certificate', async () => {
    const env = { HTTPS_PROXY: company.proxy.url };
    expect(await here(call(...WITH), env)).toMatchObject(SUM);
    expect(await here(call('--ca', 'ca.pem', '--cert', 'both.pem'), env)).toMatchObject(SUM);
    const small = { https_proxy: company.proxy.url, HTTPS_PROXY: 'http://127.0.0.1:9' };
    expect(await here(call(...WITH), small)).toMatchObject(SUM);
    expect(company.proxy.asked).toContain('CONNECT mcp.company.example:443');
  });

  it('is reached through the proxy of --proxy, whatever the environment says', async () => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '*' };
    expect(await here(call(...WITH, '--proxy', company.proxy.url), env)).toMatchObject(SUM);
    const none = await here(call(...WITH, '--proxy', 'none'), { HTTPS_PROXY: company.proxy.url });
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('no such host');
  });

  it('has it all in a configuration, by paths from its directory', async () => {
    writeFiles(folder, {
      'sub/longwire.json': JSON.stringify({
        servers: {
          company: {
            url: target(),
            proxy: 'http://${USER}:${PASS}@' + new URL(company.proxy.url).host,
            ca: '../ca.pem',
            cert: '../me.crt',
            key: '../me.key',
          },
          direct: { url: serving.url, proxy: 'none' },
        },
      }),
    });
    await company[Symbol.asyncDispose]();
    company = await startCompanyNetwork(new URL(serving.url).origin, {
      login: 'alice:hush-hush',
      port: company.proxy.port,
    });
    const env = { USER: 'alice', PASS: 'hush-hush', HTTP_PROXY: 'http://127.0.0.1:9' };
    const config = ['--config', 'sub/longwire.json'];
    const named = ['call', 'company', 'add', 'a=1', 'b=2', ...config];
    expect(await here(named, env)).toMatchObject(SUM);
    expect(await here(['call', 'direct', 'add', 'a=1', 'b=2', ...config], env)).toMatchObject(SUM);
    const wrong = await here(named, { ...env, PASS: 'wrong-hush' });
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('does not take the user name and the password (407)');
    expect(wrong.stderr).not.toContain('hush');
  });

  it('is written by servers add, and used by its name', async () => {
    const words = ['servers', 'add', 'company', target(), '--proxy', company.proxy.url, ...WITH];
    expect((await here(words, { XDG_STATE_HOME: folder })).code).toBe(0);
    const named = ['call', 'company', 'add', 'a=1', 'b=2'];
    const env = { XDG_STATE_HOME: folder };
    expect(await here(named, env)).toMatchObject(SUM);
    // An authority that is exchanged may be somebody else's.
    writeFileSync(join(folder, 'ca.pem'), `${authority}\n${strangeClient.cert}`);
    const changed = await here(named, env);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toContain('has changed since it was allowed');
  });

  it('is not led to a proxy by a .env, which may be of somebody else', async () => {
    writeFiles(folder, {
      '.env': `HTTPS_PROXY=${company.proxy.url}\nHTTP_PROXY=${company.proxy.url}`,
    });
    expect((await here(call(...WITH))).stderr).toContain('no such host');
    expect(company.proxy.asked).toEqual([]);
  });
});

describe('says which and what to do', () => {
  const proxies: [string, ConnectProxyOptions, RegExp][] = [
    [
      'a proxy that wants a password',
      { login: 'alice:hush-hush' },
      /^error: cannot connect to https:\/\/mcp\.company\.example: the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\) wants a user name and a password \(407\); write a user name, a colon, the password and an @ before the host in HTTPS_PROXY\n$/,
    ],
    [
      'a proxy that refuses',
      { status: 403 },
      /^error: .*the proxy http:\S+ \(HTTPS_PROXY\) refuses a way to mcp\.company\.example:443 \(403\); ask whoever runs the proxy/,
    ],
  ];
  it.each(proxies)('%s', async (_name, options, expected) => {
    const proxy = await startConnectProxy(options);
    const { code, stderr } = await here(call(...WITH), { HTTPS_PROXY: proxy.url });
    const asked = proxy.asked.length;
    await proxy[Symbol.asyncDispose]();
    expect(code).toBe(3);
    expect(asked).toBeGreaterThan(0);
    expect(stderr).toMatch(expected);
  });

  it('a proxy that is down', async () => {
    const env = { HTTPS_PROXY: 'http://me:hush-hush@127.0.0.1:9' };
    const { code, stderr } = await here(call(...WITH), env);
    expect(code).toBe(3);
    expect(stderr).toBe(
      'error: cannot connect to https://mcp.company.example: the proxy http://127.0.0.1:9 (HTTPS_PROXY) ' +
        'cannot be used: nothing listens there (ECONNREFUSED); start it, or correct HTTPS_PROXY\n',
    );
    const json = JSON.parse((await here(call(...WITH, '--json'), env)).stdout) as object;
    expect(json).toMatchObject({ error: { code: 'connect-failed', certainty: 'not-sent' } });
  });

  it('a proxy that is none', async () => {
    const { code, stderr } = await here(call(), {
      HTTPS_PROXY: 'socks5://me:hush-hush@127.0.0.1:9',
    });
    expect(code).toBe(3);
    expect(stderr).toContain('HTTPS_PROXY: a proxy of socks5:// is not supported: proxies of http');
    expect(stderr).not.toContain('hush');
    const option = await here(call('--proxy', 'socks5://me:hush-hush@127.0.0.1:9'));
    expect(option.code).toBe(2);
    expect(option.stderr).toContain('--proxy: a proxy of socks5:// is not supported');
    expect(option.stderr).not.toContain('hush');
  });

  it('a certificate of an unknown authority', async () => {
    const { code, stderr } = await here(call(), { HTTPS_PROXY: company.proxy.url });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /its certificate is of an authority that is not trusted here .*--ca FILE/,
    );
  });

  it.each([
    [['--ca', 'none.pem'], /--ca: \S+none\.pem cannot be read: there is no such file/],
    [['--ca', 'text.txt'], /--ca: there is no certificate in the format PEM in it/],
    [['--cert', 'me.crt'], /--key: needed with --cert, whose file has no private key/],
    [['--key', 'me.key'], /--cert: needed with --key/],
    [['--cert', 'me.crt', '--key', 'other.key'], /--key: it is not the key of --cert/],
  ])('%j', async (args, expected) => {
    const { code, stderr } = await here(call(...args));
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(expected) as string,
    });
    expect(stderr).not.toContain('hush');
  });

  it('a certificate for a command, or for several servers', async () => {
    const command = await here(['tools', '--cert', 'both.pem', '--', 'node']);
    expect(command).toMatchObject({ code: 2 });
    expect(command.stderr).toContain('--cert is for a server at a URL');
  });

  it('files of a configuration', async () => {
    writeFiles(folder, {
      'longwire.json': JSON.stringify({
        servers: { company: { url: target(), cert: 'me.crt', key: 'other.key' } },
      }),
    });
    const { code, stderr } = await here(['tools', 'company'], { XDG_STATE_HOME: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /longwire\.json:\d+: server "company": "key": it is not the key of "cert"/,
    );
  });
});

describe('Claude', () => {
  it('is asked through the proxy, too', async () => {
    const claude = await listenClaude([{ text: ['yes'] }]);
    const proxy = await startConnectProxy({
      hosts: { 'claude.example': new URL(claude.url).host },
    });
    const env = {
      ANTHROPIC_API_KEY: 'claude-key-here',
      ANTHROPIC_BASE_URL: 'http://claude.example',
      HTTP_PROXY: proxy.url,
    };
    const { code, stdout, stderr } = await here(['chat', serving.url, '-p', 'hi'], env);
    await proxy[Symbol.asyncDispose]();
    const down = await here(['chat', serving.url, '-p', 'hi'], env);
    await claude.close();
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'yes\n' });
    expect(proxy.asked).toEqual(['POST http://claude.example/v1/messages']);
    expect(down.code).toBe(3);
    expect(down.stderr).toContain(
      `could not reach Claude: the proxy ${proxy.url} (HTTP_PROXY) cannot be used: nothing listens there`,
    );
  });
});

describe('a login', () => {
  it('is made, used and ended through the proxy', async () => {
    const server = await startOAuthServer();
    const proxy = await startConnectProxy();
    const home = await makeHome();
    const through = ['--proxy', proxy.url];
    expect(await logIn(server.url, home, through)).toMatchObject({ code: 0 });
    const said = await runAt(['call', server.url, 'read', ...through], home);
    expect(said).toMatchObject({ code: 0, stdout: 'read done\n' });
    server.expireTokens();
    expect(await runAt(['call', server.url, 'read', ...through], home)).toMatchObject({ code: 0 });
    expect(server.granted['refresh_token']).toBe(1);
    expect(await runAt(['logout', server.url, ...through], home)).toMatchObject({ code: 0 });
    const asked = proxy.asked.filter((each) => each.includes(server.issuer));
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
    expect(asked.filter((each) => each.endsWith('/token'))).toHaveLength(2);
    expect(asked.join(' ')).toContain('/token/revocation');
  });
});

describe('doctor', () => {
  const steps = async (
    args: string[],
    env: Record<string, string>,
  ): Promise<{ code: number; broken: string | undefined; hint: string; told: string[] }> => {
    const { code, stdout } = await here(['doctor', '--json', '--wait', '10ms', ...args], env);
    const {
      broken,
      hint = '',
      steps: all,
    } = JSON.parse(stdout) as {
      broken?: string;
      hint?: string;
      steps: { name: string; status: string; detail: string }[];
    };
    const told = all.map(({ name, status, detail }) => `${name} ${status}: ${detail}`);
    return { code, broken, hint, told };
  };

  it('goes through the proxy, layer by layer', async () => {
    const { code, told } = await steps([target(), ...WITH], { HTTPS_PROXY: company.proxy.url });
    expect(told.slice(0, 4)).toEqual([
      `proxy ok: ${company.proxy.url}, which HTTPS_PROXY names, opens a way to mcp.company.example:443`,
      'name skipped: the proxy looks mcp.company.example up, and connects to it',
      'tls ok: TLS 1.3, and its certificate is trusted',
      expect.stringContaining('http ok: GET /mcp is answered'),
    ]);
    expect(code).toBe(0);
  });

  it.each<[string, ConnectProxyOptions | 'down', string, RegExp]>([
    ['is down', 'down', 'cannot be used: nothing listens there', /^start it, or correct HTTP/],
    [
      'wants a password',
      { login: 'a:b' },
      'wants a user name and a password',
      /^write a user name, a colon, the password and an @ before the host in HTTP/,
    ],
    ['refuses', { status: 403 }, 'refuses a way to', /^ask whoever runs the proxy/],
    ['reaches nothing', {}, 'does not reach', /^check the address of the server/],
  ])('a proxy that %s', async (_name, options, detail, hint) => {
    const proxy = await startConnectProxy(options === 'down' ? {} : options);
    if (options === 'down') await proxy[Symbol.asyncDispose]();
    const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url };
    const found = await steps(['https://mcp.company.invalid/mcp'], env);
    expect(found).toMatchObject({ code: 3, broken: 'proxy' });
    expect(found.told.at(-1)).toContain(detail);
    expect(found.hint).toMatch(hint);
    if (options !== 'down' && 'login' in options) {
      const plain = await steps(['http://mcp.company.invalid/mcp'], env);
      expect(plain).toMatchObject({ code: 3, broken: 'proxy' });
      expect(plain.told.at(-1)).toContain(detail);
    }
    if (options !== 'down') await proxy[Symbol.asyncDispose]();
  });

  it('plain http through the proxy', async () => {
    const proxy = await startConnectProxy({
      hosts: { 'mcp.company.example': new URL(serving.url).host },
    });
    const env = { HTTP_PROXY: proxy.url };
    const { told } = await steps(['http://mcp.company.example/mcp'], env);
    await proxy[Symbol.asyncDispose]();
    expect(told[0]).toBe(`proxy ok: ${proxy.url}, which HTTP_PROXY names, takes connections`);
    expect(told.join('\n')).toContain('http ok: GET /mcp is answered');
  });
});
