import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ClientOptions, type ConnectError } from '@longwire/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authority, companyClient, companyServer, strangeClient } from '../support/certificates.ts';
import { startModernServer } from '../support/modern-server.ts';
import { startEverything, type Peer } from '../support/peers.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import {
  squidCommand,
  startSquid,
  startTinyproxy,
  tinyproxyCommand,
  type ForwardProxy,
  type Login,
} from './forward-proxies.ts';
import { freePort, nginxCommand, startNginx, type Nginx } from './nginx.ts';

const commands = { nginx: nginxCommand(), tinyproxy: tinyproxyCommand(), squid: squidCommand() };
for (const [name, command] of Object.entries(commands)) {
  if (command !== undefined) continue;
  if (process.env['CI']) throw new Error(`there is no ${name}`);
  console.log(`left out: ${name} is not installed`);
}
const { nginx = '', tinyproxy = '', squid = '' } = commands;
const hasAll = Object.values(commands).every((command) => command !== undefined);

const login: Login = { user: 'alice', password: 'hush-hush' };
const tls = { ca: authority, ...companyClient };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
async function closeLater<One extends AsyncDisposable>(starting: Promise<One>): Promise<One> {
  const one = await starting;
  open.push(one);
  return one;
}

/** Where certificates are for programs that read files. */
let folder: string;
/** The servers of the company: one of each transport, behind nginx, which wants to know who asks. */
const servers = new Map<string, { port: number; path: string; plain: URL }>();
const running: AsyncDisposable[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'longwire-company-'));
  writeFileSync(join(folder, 'server.crt'), companyServer.cert);
  writeFileSync(join(folder, 'server.key'), companyServer.key);
  writeFileSync(join(folder, 'ca.crt'), authority);
  writeFileSync(join(folder, 'client.crt'), companyClient.cert);
  writeFileSync(join(folder, 'client.key'), companyClient.key);
  if (!hasAll) return;
  const peers: [string, Promise<Pick<Peer, 'url'> & AsyncDisposable>][] = [
    ['HTTP+SSE', startEverything({ mode: 'sse' })],
    ['Streamable HTTP', startEverything({ mode: 'streamableHttp' })],
    ['2026-07-28', startModernServer()],
  ];
  for (const [name, starting] of peers) {
    const peer = await starting;
    running.push(peer);
    const { origin, pathname } = new URL(peer.url);
    const front = await behindTls(origin);
    running.push(front);
    servers.set(name, {
      port: Number(new URL(front.origin).port),
      path: pathname,
      plain: new URL(peer.url),
    });
  }
});
afterAll(async () => {
  for (const one of running.reverse()) await one[Symbol.asyncDispose]();
  await removeFolder(folder);
});

function behindTls(origin: string): Promise<Nginx> {
  return startNginx(
    nginx,
    `server {
      listen PORT ssl;
      ssl_certificate ${folder}/server.crt;
      ssl_certificate_key ${folder}/server.key;
      ssl_client_certificate ${folder}/ca.crt;
      ssl_verify_client on;
      location / { proxy_pass ${origin}; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300s; }
    }`,
  );
}

const withLogin = (url: string): string => url.replace('//', `//${login.user}:${login.password}@`);

const failure = (url: string, options: ClientOptions): Promise<ConnectError> =>
  connect(url, options).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as ConnectError,
  );

/** Says something, and is told the progress of what takes a while where there is such a tool. */
async function useServer(url: string, options: ClientOptions): Promise<void> {
  await using client = await connect(url, options);
  const { content } = await client.callTool('echo', { message: 'through' });
  expect(JSON.stringify(content)).toContain('through');
  const tool = client.protocolVersion === '2026-07-28' ? 'steps' : 'trigger-long-running-operation';
  const args = tool === 'steps' ? {} : { duration: 0.3, steps: 3 };
  const progress: number[] = [];
  await client.callTool(tool, args, {
    onProgress: ({ progress: step }) => void progress.push(step),
  });
  expect(progress).toEqual([1, 2, 3]);
}

describe.skipIf(!hasAll).each(['HTTP+SSE', 'Streamable HTTP', '2026-07-28'])('%s', (name) => {
  const serverOf = (): { port: number; path: string; plain: URL } => {
    const server = servers.get(name);
    if (server === undefined) throw new Error(`there is no ${name}`);
    return server;
  };

  it.each([undefined, login])('through tinyproxy, login %j', async (who) => {
    const proxy = await closeLater(startTinyproxy(tinyproxy, who));
    const { port, path } = serverOf();
    const address = who === undefined ? proxy.url : withLogin(proxy.url);
    await useServer(`https://localhost:${port}${path}`, { proxy: address, tls });
  });

  it.each([undefined, login])('through squid, login %j', async (who) => {
    const { port, path, plain } = serverOf();
    const proxy = await closeLater(
      startSquid(squid, { tlsPort: port, ...(who !== undefined && { login: who }) }),
    );
    const HTTPS_PROXY = who === undefined ? proxy.url : withLogin(proxy.url);
    const variables = { HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY };
    const host = 'mcp.company.example';
    await useServer(`https://${host}:${port}${path}`, { proxy: variables, tls });
    // squid opens no tunnel to this port.
    const { port: plainPort } = plain;
    const asked = useServer(`http://127.0.0.1:${plainPort}${path}`, { proxy: HTTPS_PROXY });
    await asked;
    const left = { ...variables, NO_PROXY: `other, .company.example:${port}` };
    expect(
      (await failure(`https://${host}:${port}${path}`, { proxy: left, tls })).summary,
    ).toContain('no such host');
  });

  it('is reached by the command, as it is built', async () => {
    const { port, path, plain } = serverOf();
    const proxy = await closeLater(startSquid(squid, { tlsPort: port, login }));
    const HTTPS_PROXY = withLogin(proxy.url);
    const options = ['--ca', 'ca.crt', '--cert', 'client.crt', '--key', 'client.key'];
    const call = (url: string, ...more: string[]): Promise<CliRun> =>
      runCli(['call', url, 'echo', 'message=through', ...more], {
        cwd: folder,
        env: { HTTPS_PROXY },
      });
    const said = { code: 0, stdout: expect.stringContaining('through') as string };
    const url = `https://mcp.company.example:${port}${path}`;
    expect(await call(url, ...options)).toMatchObject(said);
    expect(await call(plain.href, '--proxy', HTTPS_PROXY)).toMatchObject(said);
    await proxy.stop();
    const { code, stderr } = await call(url, ...options);
    expect(code).toBe(3);
    expect(stderr).toContain(
      `the proxy ${proxy.url} (HTTPS_PROXY) cannot be used: nothing listens`,
    );
  });

  it('comes back after its proxy was started again', async () => {
    const proxy = await closeLater(startTinyproxy(tinyproxy));
    const { port, path } = serverOf();
    await using client = await connect(`https://localhost:${port}${path}`, {
      proxy: proxy.url,
      tls,
      retry: { firstDelayMs: 20 },
    });
    await client.callTool('echo', { message: 'before' });
    await proxy.restart();
    const { content } = await client.callTool('echo', { message: 'after' }, { idempotent: true });
    expect(JSON.stringify(content)).toContain('after');
  });
});

describe.skipIf(!hasAll)('a proxy that does not let one through', () => {
  const target = 'https://mcp.company.example:8443/mcp';
  const proxies: [string, () => Promise<ForwardProxy>, RegExp][] = [
    [
      'tinyproxy',
      () => startTinyproxy(tinyproxy, login),
      /wants a user name and a password \(407\)$/,
    ],
    [
      'squid',
      () => startSquid(squid, { tlsPort: 8443, login }),
      /wants a user name and a password \(407\)$/,
    ],
    [
      'squid, of a port',
      () => startSquid(squid, { tlsPort: 443 }),
      /refuses a way to mcp\.company\.example:8443 \(403\)$/,
    ],
    [
      'squid, of a server that is down',
      () => startSquid(squid, { tlsPort: 8443 }),
      /does not reach mcp\.company\.example:8443 \(503\)$/,
    ],
  ];
  it.each(proxies)('%s', async (_name, start, expected) => {
    const proxy = await closeLater(start());
    const error = await failure(target, { proxy: proxy.url });
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.summary).toMatch(expected);
    expect(error.summary).toContain(`the proxy ${proxy.url} `);
    await proxy.stop();
    const down = await failure(target, { proxy: proxy.url });
    expect(down.summary).toContain(`the proxy ${proxy.url} cannot be used: nothing listens there`);
  });
});

describe.skipIf(!hasAll)('nginx that wants to know who asks', () => {
  it.each([
    ['no certificate', {}, 'it wants a certificate of the client', 'tls.cert and tls.key'],
    ['another', strangeClient, 'it does not accept the certificate of the client', 'check that'],
  ])('%s', async (_name, own, reason, hint) => {
    for (const [name, { port, path }] of servers) {
      const url = `https://localhost:${port}${path}`;
      const error = await failure(url, { tls: { ca: authority, ...own } });
      expect(error.code, name).toBe('connect-failed');
      expect(error.summary, name).toBe(`cannot connect to ${new URL(url).origin}: ${reason}`);
      expect(error.hint, name).toContain(hint);
    }
  });
});

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)(
  'a server that ends TLS for want of a certificate',
  () => {
    it.each([['-tls1_3'], ['-tls1_2']])('openssl %s', async (version) => {
      const port = await freePort();
      const files = ['-cert', 'server.crt', '-key', 'server.key', '-CAfile', 'ca.crt'];
      const args = ['s_server', '-accept', `127.0.0.1:${port}`, ...files];
      const words = [...args, version, '-Verify', '1', '-verify_return_error', '-www'];
      const child = spawn('openssl', words, { cwd: folder, stdio: 'ignore' });
      open.push({
        [Symbol.asyncDispose]: async () => {
          const exited = once(child, 'exit');
          child.kill('SIGKILL');
          await exited;
        },
      });
      await until(async () => {
        const socket = connectSocket(port, '127.0.0.1');
        await once(socket, 'connect');
        socket.destroy();
      });
      const url = `https://localhost:${port}/mcp`;
      const error = await failure(url, { tls: { ca: authority } });
      expect(error.code).toBe('connect-failed');
      expect(error.summary).toMatch(
        /^cannot connect to https:\/\/localhost:\d+: (?:it wants a certificate of the client|it refuses the handshake of TLS)/,
      );
      expect(error.hint).toContain('--cert FILE --key FILE');
      const other = await failure(url, { tls: { ca: authority, ...strangeClient } });
      expect(other.summary).toContain('it does not accept the certificate of the client');
    });
  },
);
