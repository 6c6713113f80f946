import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ask, INITIALIZE } from './ask.ts';
import { attacked, bareSocket, sendRaw, StreamableClient } from './attacked.ts';

const EVIL = 'evil.example';

describe('Host and Origin', () => {
  it.each(['/sse', '/mcp', '/messages', '/server-card'])('are checked for %s', async (path) => {
    const server = await attacked();
    const method = path === '/sse' || path === '/server-card' ? 'GET' : 'POST';
    const body = method === 'POST' ? { body: INITIALIZE } : {};
    for (const header of ['host', 'origin']) {
      const headers = { [header]: header === 'host' ? EVIL : `https://${EVIL}` };
      const answer = await ask(`${server.origin}${path}`, { method, headers, ...body });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain(header === 'host' ? 'allowedHosts' : 'allowedOrigins');
    }
    server.expectRefusalLogged(403, /Host[^]*evil\.example/);
    server.expectRefusalLogged(403, /Origin[^]*https:\/\/evil\.example/);
    await server.expectAlive();
  });

  it('X-Forwarded-Host changes nothing, unless a trusted hop sent it', async () => {
    const body = INITIALIZE;
    const good = 'mcp.example';
    const allowedHosts = [good, '127.0.0.1'];
    const ofNobody = await attacked({ allowedHosts });
    const ofAnother = await attacked({ allowedHosts }, { trustProxy: '10.1.2.3' });
    for (const server of [ofNobody, ofAnother]) {
      const url = `${server.origin}/mcp`;
      const forged = { host: EVIL, 'x-forwarded-host': good };
      expect((await ask(url, { body, headers: forged })).status).toBe(403);
      // Nor can it get somebody refused.
      const headers = { 'x-forwarded-host': EVIL };
      expect((await ask(url, { body, headers })).status).toBe(200);
      server.expectRefusalLogged(403, /Host[^]*evil\.example/);
      await server.expectAlive();
    }
    // Of a trusted hop it counts beside Host, and never in place of it.
    const trusting = await attacked({ allowedHosts }, { trustProxy: '127.0.0.1' });
    const answers = [
      { status: 200, headers: { host: '127.0.0.1', 'x-forwarded-host': good } },
      { status: 403, headers: { host: '127.0.0.1', 'x-forwarded-host': EVIL } },
      { status: 403, headers: { host: EVIL, 'x-forwarded-host': good } },
    ];
    for (const { status, headers } of answers) {
      expect((await ask(`${trusting.origin}/mcp`, { body, headers })).status).toBe(status);
    }
    trusting.expectRefusalLogged(403, /X-Forwarded-Host is not in allowedHosts/);
    await trusting.expectAlive();
  });
});

describe('a body', () => {
  it('that is announced as huge is refused before it comes', async () => {
    const server = await attacked();
    const head =
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${2 ** 34}\r\n\r\n{`;
    expect(await sendRaw(server.port, head)).toMatch(/^HTTP\/1.1 413 [^]*maxBodyBytes/);
    server.expectRefusalLogged(413, /maxBodyBytes/);
    await server.expectAlive();
  });

  it('that has no end is refused at the limit', async () => {
    const server = await attacked({ maxBodyBytes: 100_000 });
    const socket = bareSocket(server.port);
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `4000\r\n${'['.repeat(0x4000)}\r\n`;
    let sent = 0;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const pour = (): void => {
      while (!socket.destroyed && sent < 2 ** 26) {
        sent += 0x4000;
        if (!socket.write(chunk)) {
          socket.once('drain', pour);
          return;
        }
      }
    };
    pour();
    await closed;
    expect(said).toMatch(/^HTTP\/1.1 413 /);
    expect(sent).toBeLessThan(2 ** 26);
    server.expectRefusalLogged(413, /maxBodyBytes/);
    await server.expectAlive();
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, gzip'])(
    'that is packed (%s) is never unpacked',
    async (encoding) => {
      const server = await attacked();
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      const answer = await ask(`${server.origin}/mcp`, {
        body: bomb.toString('latin1'),
        headers: { 'content-encoding': encoding },
      });
      expect([400, 415]).toContain(answer.status);
      await server.expectAlive();
    },
  );

  it.each([
    [
      'nested deeply',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(50_000)}1`,
    ],
    ['an endless array', '['.repeat(1_000_000)],
    ['of very many values', `[${'1,'.repeat(1_500_000)}1]`],
  ])('%s is refused', async (_what, body) => {
    const server = await attacked();
    const { status } = await ask(`${server.origin}/mcp`, { body });
    expect(status).toBe(400);
    server.expectRefusalLogged(400, /The body is not/);
    await server.expectAlive();
  });

  it.each([
    '{"__proto__":{"polluted":true},"text":"a"}',
    '{"constructor":{"prototype":{"polluted":true}},"text":"b"}',
    '{"text":"c","__proto__":null}',
  ])('cannot pollute prototypes: %s', async (args) => {
    const server = await attacked();
    const client = await StreamableClient.open(server.origin, 'mallory');
    const { status } = await client.post(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"polluted":true},` +
        `"params":{"name":"note","arguments":${args},"__proto__":{"polluted":true}}}`,
    );
    expect([200, 400]).toContain(status);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await server.expectAlive();
  });

  it.each(['__proto__', 'constructor', 'toString', '', 'note\u0000', 'x'.repeat(100_000)])(
    'that names the tool %j gets an error of its own',
    async (name) => {
      const server = await attacked();
      const client = await StreamableClient.open(server.origin, 'mallory');
      const { status, message } = await client.call(name);
      expect(status).toBe(200);
      expect(message).toSatisfy(
        (answer: { error?: object; result?: { isError?: boolean } }) =>
          answer.error !== undefined || answer.result?.isError === true,
      );
      await server.expectAlive();
    },
  );
});

/** A call that must not run. */
const NOTE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'note', arguments: { text: 'smuggled' } },
});

describe('two requests in one', () => {
  it.each([
    ['a length and chunks', `Content-Length: 4\r\nTransfer-Encoding: chunked`],
    ['chunks and a length', `Transfer-Encoding: chunked\r\nContent-Length: 4`],
    ['two lengths', `Content-Length: 4\r\nContent-Length: 400`],
    ['a list of lengths', `Content-Length: 4, 400`],
    ['an odd encoding', `Transfer-Encoding: xchunked\r\nContent-Length: 4`],
    ['two encodings', `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity`],
    ['a space before the colon', `Transfer-Encoding : chunked\r\nContent-Length: 4`],
    ['a folded line', `Content-Length: 4\r\nTransfer-Encoding:\r\n chunked`],
    ['a line that ends early', `Content-Length: 4\nTransfer-Encoding: chunked`],
    ['a length with a sign', `Content-Length: +4`],
    ['a null byte', `X-Odd: a\u0000b\r\nContent-Length: 4`],
  ])('%s: refused, and the connection closed', async (_what, headers) => {
    const server = await attacked();
    const client = await StreamableClient.open(server.origin, 'mallory');
    const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const inner =
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Accept: application/json, text/event-stream\r\nX-User: mallory\r\n` +
      `Mcp-Session-Id: ${client.id}\r\nContent-Length: ${NOTE.length}\r\n\r\n${NOTE}`;
    const said = await sendRaw(server.port, `${head}${headers}\r\n\r\n0\r\n\r\n${inner}`);
    expect(said).toMatch(/^HTTP\/1.1 400 /);
    expect(server.ran).toEqual([]);
    const logged = server.lines.find(({ msg }) => msg === 'client error');
    expect(logged).toBeDefined();
    await server.expectAlive();
  });
});

describe('a header', () => {
  it.each([
    ['host', `Host: ${EVIL}`],
    ['origin', 'Origin: http://localhost\r\nOrigin: http://evil.example'],
    ['content-type', 'Content-Type: application/json\r\nContent-Type: text/plain'],
    ['authorization', 'Authorization: Bearer a\r\nAuthorization: Bearer b'],
    ['x-api-key', 'X-Api-Key: a\r\nX-Api-Key: b'],
    ['api_key', 'api_key: a\r\napi_key: b'],
    ['mcp-session-id', 'Mcp-Session-Id: a\r\nMcp-Session-Id: b'],
    ['last-event-id', 'Last-Event-ID: a\r\nLast-Event-ID: b'],
  ])('%s that comes twice is refused', async (name, extra) => {
    const server = await attacked();
    const request = `GET /sse HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${extra}\r\n\r\n`;
    const said = await sendRaw(server.port, request);
    expect(said).toMatch(/^HTTP\/1.1 400 /);
    expect(said).toContain(`more than one ${name} header`);
    server.expectRefusalLogged(400, new RegExp(name));
    await server.expectAlive();
  });

  it.each([
    [
      'that is very long',
      `GET /sse HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
      431,
    ],
    [
      'among very many',
      `GET /sse HTTP/1.1\r\nHost: localhost\r\n${'A: b\r\n'.repeat(20_000)}\r\n`,
      431,
    ],
    [
      'of a path without end',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      431,
    ],
    ['that is missing: Host', `GET /sse HTTP/1.1\r\n\r\n`, 400],
    ['in no protocol at all', `\u0016\u0003\u0001\u0000\u0001\r\n\r\n`, 400],
  ])('%s is refused', async (_what, bytes, status) => {
    const server = await attacked();
    expect(await sendRaw(server.port, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    await server.expectAlive();
  });
});
