import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { expired, issued, selfSigned, wrongName } from '../../../../test/support/certificates.ts';
import { startHttpFixture, type HttpFixture } from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { startOAuthServer } from '../../../../test/support/oauth-server.ts';
import { startEverything } from '../../../../test/support/peers.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { startTlsFront } from '../../../../test/support/tls-front.ts';
import { everything, misbehaving } from '../../../../test/cli/support/servers.ts';
import { run } from '../run.ts';

expectNothingLeftOpen();

interface Report {
  target: string;
  ok: boolean;
  steps: ({ name: string; status: string; ms: number; detail: string } & Record<string, unknown>)[];
  broken?: string;
  hint?: string;
  interrupted?: boolean;
}

async function doctor(
  args: string[],
  options: Parameters<typeof run>[1] = {},
): Promise<{ code: number; report: Report }> {
  const { code, stdout } = await run(['doctor', '--json', '--wait', '100ms', ...args], options);
  return { code, report: JSON.parse(stdout) as Report };
}

const statuses = ({ steps }: Report): string =>
  steps.map(({ name, status }) => `${name} ${status}`).join(', ');
const stepOf = ({ steps }: Report, name: string): Report['steps'][number] | undefined =>
  steps.find((step) => step.name === name);

/** A site of web pages, with nothing else. */
function startSite(): Promise<HttpFixture> {
  return startHttpFixture((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>hi</title></html>');
  });
}

it('looks for a server nearby without the credentials, which are for what was written', async () => {
  const asked: { path: string; authorization: string | undefined }[] = [];
  await using site = await startHttpFixture(({ url, headers }, response) => {
    asked.push({ path: url, authorization: headers.authorization });
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
  });
  const header = 'Authorization: Bearer of-one-team';
  await doctor([`${site.origin}/team/mcp`, '--header', header]);
  const [own, others] = [true, false].map((isOwn) =>
    asked.filter(({ path }) => path.startsWith('/team/') === isOwn),
  );
  expect(own?.map(({ authorization }) => authorization)).toContain('Bearer of-one-team');
  expect(others?.length).toBeGreaterThan(0);
  expect(others?.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

describe('a server that works', () => {
  it.each([
    ['streamableHttp', 'streamable-http', 'a session by Mcp-Session-Id'],
    ['sse', 'sse', 'a session that is its stream'],
  ] as const)('over %s', async (mode, transport, session) => {
    await using peer = await startEverything({ mode });
    const { code, report } = await doctor([peer.url, '--call']);
    expect(code).toBe(0);
    expect(report).toMatchObject({ target: peer.url, ok: true });
    expect(report).not.toHaveProperty('broken');
    const all = [
      'proxy',
      'name',
      'address',
      'http',
      'server',
      'session',
      'lists',
      'call',
      'stream',
    ];
    expect(report.steps.map(({ name }) => name)).toEqual(all);
    expect(stepOf(report, 'server')).toMatchObject({ status: 'ok', transport });
    expect(stepOf(report, 'session')?.detail).toBe(session);
    expect(stepOf(report, 'lists')?.detail).toContain('13 tools');
    expect(stepOf(report, 'stream')).toMatchObject({ status: 'ok', heartbeat: false });
  });

  it('over tool-events', async () => {
    await using server = await startToolEventsServer({ kind: 'fixed-endpoint' });
    const { code, report } = await doctor([server.url, '--header', `api_key: ${server.apiKey}`]);
    expect(code).toBe(0);
    expect(stepOf(report, 'server')).toMatchObject({ transport: 'tool-events' });
    expect(stepOf(report, 'stream')?.status).toBe('ok');
    expect(JSON.stringify(report)).not.toContain(server.apiKey);
  });

  it('with heartbeats, of which one is waited for', async () => {
    const create = (): McpServer => {
      const server = new McpServer({ name: 'beats', version: '1' });
      server.registerTool('look', {}, () => ({ content: [] }));
      return server;
    };
    await using serving = await serve({ create, heartbeatMs: 1000 });
    for (const path of ['/sse', '/mcp']) {
      const url = new URL(path, serving.url).href;
      const { code, report } = await doctor([url, '--wait', '20s']);
      expect(code).toBe(0);
      expect(stepOf(report, 'stream')?.detail).toMatch(/begins at once .*a heartbeat came after/);
    }
  });

  it('as a program', async () => {
    const { code, report } = await doctor(['--', process.execPath, everything]);
    expect(code).toBe(0);
    expect(statuses(report)).toBe(
      'program ok, server ok, session ok, lists ok, output ok, exit ok',
    );
    expect(stepOf(report, 'output')?.detail).toMatch(/^messages only; \d+ lines? on its stderr$/);
  });

  it('is told line by line, and to people without JSON', async () => {
    await using peer = await startEverything({ mode: 'streamableHttp' });
    const { code, stdout } = await run(['doctor', peer.url, '--wait', '100ms']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ok {7}proxy {5}none is named by the environment {2}\(\d+ ms\)$/);
    expect(lines.slice(-2)).toEqual(['', 'Nothing is broken.']);
  });
});

describe('the first broken layer', () => {
  it('a name that there is not', async () => {
    const { code, report } = await doctor(['http://nosuch.invalid/mcp']);
    expect(code).toBe(3);
    expect(statuses(report)).toBe('proxy ok, name failed');
    expect(report.hint).toContain('spelling');
  });

  it('a dead port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { code, report } = await doctor([`http://127.0.0.1:${port}`]);
    expect(code).toBe(3);
    expect(report).toMatchObject({ ok: false, broken: 'address' });
    expect(statuses(report)).toBe('proxy ok, name ok, address failed');
    expect(stepOf(report, 'address')?.detail).toContain('nothing listens there');
  });

  it('a port that does not answer, within the time that it has', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).resume()).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, report } = await doctor([`https://127.0.0.1:${port}`, '--timeout', '300ms']);
    expect(code).toBe(3);
    expect(report.broken).toBe('tls');
    expect(stepOf(report, 'tls')?.detail).toBe('TLS was begun and not answered');
    server.close();
    await once(server, 'close');
  });

  it.each([
    ['expired', expired, 'has expired', '2025-01-01'],
    ['self-signed', selfSigned, 'self-signed', 'localhost'],
    ['for another name', wrongName, 'self-signed', 'mcp.example.com'],
    ['of an authority that is not known', issued, 'authority', 'Example Company CA'],
  ])('a certificate: %s', async (_name, certificate, reason, shown) => {
    await using front = await startTlsFront('http://127.0.0.1:9', certificate);
    const { code, report } = await doctor([front.origin]);
    expect(code).toBe(3);
    expect(report.broken).toBe('tls');
    const tls = stepOf(report, 'tls');
    expect(tls?.detail).toContain(reason);
    expect(JSON.stringify(tls)).toContain(shown);
    const people = await run(['doctor', front.origin]);
    expect(people.stdout).toContain(shown);
    expect(people.stdout).toContain('\nBroken: tls\nTo do: ');
  });

  it('plain http that is asked for TLS, and TLS that is asked by plain http', async () => {
    await using site = await startSite();
    const tls = await doctor([site.origin.replace('http:', 'https:')]);
    expect(tls.report).toMatchObject({ broken: 'tls', hint: 'write http:// instead of https://' });
    await using front = await startTlsFront('http://127.0.0.1:9');
    const plain = await doctor([front.origin.replace('https:', 'http:')]);
    expect(plain.code).toBe(3);
    expect(plain.report.broken).toBe('http');
    expect(plain.report.hint).toMatch(`write ${front.origin}`);
  });

  it('a server of something else', async () => {
    const server = createServer(
      (socket) =>
        void socket
          .on('error', () => {})
          .resume()
          .end('SSH-2.0\r\n'),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, report } = await doctor([`http://127.0.0.1:${port}/mcp`]);
    expect(code).toBe(3);
    expect(report.broken).toBe('server');
    expect(report.hint).toContain('look at the log');
    expect(report.steps.at(-1)?.detail).toContain('what answers there does not speak HTTP');
    server.close();
    await once(server, 'close');
  });

  it('a web page, and the server that is beside it', async () => {
    await using site = await startSite();
    const alone = await doctor([`${site.origin}/docs`]);
    expect(alone.code).toBe(3);
    expect(alone.report.broken).toBe('server');
    expect(stepOf(alone.report, 'server')?.detail).toContain('is a web page, not an MCP server');
    await using peer = await startEverything({ mode: 'streamableHttp' });
    const beside = await doctor([new URL('/docs', peer.url).href]);
    expect(beside.report).toMatchObject({ broken: 'server', hint: `write ${peer.url}` });
  });

  it('a redirect to another origin', async () => {
    await using other = await startSite();
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(302, { location: `${other.origin}/login?state=s3cret` }).end();
    });
    const { code, report } = await doctor([`${server.origin}/mcp`]);
    expect(code).toBe(3);
    expect(report.broken).toBe('redirect');
    expect(report.steps.at(-1)?.detail).toContain('another origin');
    expect(JSON.stringify(report)).not.toContain('s3cret');
    expect(other.requests).toEqual([]);
  });

  it('a server that takes requests and never answers is no proxy that buffers', async () => {
    await using server = await startHttpFixture(() => {});
    const { code, report } = await doctor([`${server.origin}/sse`, '--timeout', '1s']);
    expect(code).toBe(3);
    expect(report.broken).toBe('server');
    expect(statuses(report)).toContain('http warning');
  });

  it('asks what is there without the credentials of the address', async () => {
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(404).end();
    });
    const target = server.origin.replace('//', '//me:s3cret@');
    const { report } = await doctor([target]);
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(server.requests.at(-1)?.headers).toHaveProperty('authorization');
    expect(JSON.stringify(report)).not.toContain('s3cret');
  });

  it('a server that refuses: 4', async () => {
    await using server = await startHttpFixture((_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('who are you?'),
    );
    const { code, report } = await doctor([`${server.origin}/mcp`]);
    expect(code).toBe(4);
    expect(report.broken).toBe('login');
  });

  it('a server that says where to log in', async () => {
    await using server = await startOAuthServer();
    const { code, report } = await doctor([server.url]);
    expect(code).toBe(4);
    expect(report).toMatchObject({ broken: 'login', hint: `run: longwire login ${server.url}` });
    expect(report.steps.at(-1)?.detail).toBe(`${server.url} wants a login at ${server.issuer}`);
  });

  it('a program that is not there, and a file that is none', async () => {
    const missing = await doctor(['--', 'no-such-program']);
    expect(missing.code).toBe(3);
    expect(missing.report).toMatchObject({ broken: 'program' });
    const file = await doctor(['--', './run.ts']);
    expect(stepOf(file.report, 'program')?.detail).toMatch(/run\.ts may not be executed$/);
  });

  it('a program that ends at once is told with its last words', async () => {
    const script = 'console.error("no DATABASE_URL is set"); process.exit(7)';
    const { code, report } = await doctor(['--', process.execPath, '-e', script]);
    expect(code).toBe(3);
    expect(report.broken).toBe('server');
    expect(report.steps.at(-1)?.detail).toMatch(/ended with code 7.*no DATABASE_URL is set/);
  });
});

describe('what is odd, and breaks nothing', () => {
  it('a proxy of the environment, without its password', async () => {
    await using peer = await startEverything({ mode: 'streamableHttp' });
    const env = { HTTP_PROXY: 'http://me:s3cret@proxy.example:3128' };
    const { code, report } = await doctor([peer.url], { env });
    expect(code).toBe(0);
    expect(stepOf(report, 'proxy')).toMatchObject({
      status: 'ok',
      variable: 'HTTP_PROXY',
      detail: 'HTTP_PROXY names proxy.example:3128, and this machine is reached without it',
    });
    expect(JSON.stringify(report)).not.toContain('s3cret');
  });

  it('a program that writes beside its messages, and one that does not end with its input', async () => {
    const noisy = await doctor(['--', process.execPath, '-e', noisyServer]);
    expect(noisy.code).toBe(0);
    expect(statuses(noisy.report)).toContain('output warning, exit warning');
    const people = await run(['doctor', '--', process.execPath, '-e', noisyServer]);
    expect(people.stdout).toContain('Listening on \u2066stdio'.replace('\u2066', ''));
    expect(people.stdout).toContain('let it write logs to stderr');
    expect(people.stdout).toContain('Nothing is broken, 2 warnings.');
  });
});

it('Ctrl-C shows what is known, and leaves nothing open', async () => {
  await using peer = await startEverything({ mode: 'streamableHttp' });
  let interrupt = (): void => {};
  const running = run(['doctor', peer.url, '--wait', '60s', '--json'], {
    onInterrupt: (listener) => (interrupt = listener),
  });
  setTimeout(() => interrupt(), 1500);
  const { code, stdout } = await running;
  expect(code).toBe(130);
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({ ok: false, interrupted: true });
  expect(statuses(report)).toContain('skipped');
});

it('a program that never answers is ended', async () => {
  const { code, report } = await doctor([
    '--timeout',
    '500ms',
    '--',
    process.execPath,
    misbehaving('silent'),
  ]);
  expect(code).toBe(3);
  expect(report.broken).toBe('server');
});

/** Writes what is no message, with a control character, and lives on when its input has ended. */
const noisyServer = `
  console.log('Listening on \\u2066stdio');
  setInterval(() => {}, 1000);
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    const result = method === 'initialize'
      ? { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: 'n', version: '1' } }
      : {};
    if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
  });`;
