import type { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { type HttpHabits } from '../../../../test/support/small-server.ts';
import { until } from '../../../../test/support/until.ts';
import { ACCEPT_ENCODING, Decoding } from '../../src/http/content-coding.ts';
import { connect, type ClientOptions, type LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { smallServers } from '../support/small-servers.ts';

type Encoder = Transform & { flush(): void };

const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants;
const { createZstdCompress } = zlib as { createZstdCompress?: () => Encoder };

const gzip = (): Encoder => zlib.createGzip({ flush: Z_SYNC_FLUSH });
const brotli = (): Encoder => zlib.createBrotliCompress({ flush: BROTLI_OPERATION_FLUSH });

const codings: [coding: string, encoder: () => Encoder][] = [
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['GZIP', gzip],
  ['deflate', () => zlib.createDeflate({ flush: Z_SYNC_FLUSH })],
  ['deflate, without its header', () => zlib.createDeflateRaw({ flush: Z_SYNC_FLUSH })],
  ['br', brotli],
  ['identity, gzip', gzip],
  ...(createZstdCompress === undefined
    ? []
    : [['zstd', createZstdCompress] as [string, () => Encoder]]),
];

const { open, serve } = smallServers();

async function client(url: string, options?: ClientOptions): Promise<LongwireClient> {
  const made = await connect(url, options);
  open.push(made);
  return made;
}

const encoded = (coding: string, encoder: () => Encoder): HttpHabits => ({
  headers: { 'content-encoding': coding.replace(/, without.*/, '') },
  encoder,
});

const pong = async (to: LongwireClient): Promise<unknown> =>
  ((await to.callTool('echo', { text: 'é'.repeat(3) })) as { content: unknown }).content;

const PONG = [{ type: 'text', text: '{"text":"ééé"}' }];

describe.each(codings)('a body in %s', (coding, encoder) => {
  it('is decoded in a document', async () => {
    const server = await serve(encoded(coding, encoder));
    expect(await pong(await client(`${server.origin}/mcp`))).toEqual(PONG);
  });

  it('is decoded while it comes in a response that is a stream', async () => {
    const server = await serve({ ...encoded(coding, encoder), streams: true });
    expect(await pong(await client(`${server.origin}/mcp`))).toEqual(PONG);
  });

  it('is decoded while it comes in the stream of HTTP+SSE, which never ends', async () => {
    const server = await serve(encoded(coding, encoder));
    const to = await client(`${server.origin}/sse`);
    expect(to.state).toMatchObject({ transport: 'sse' });
    for (let round = 0; round < 3; round++) expect(await pong(to)).toEqual(PONG);
  });

  it('is decoded in an error', async () => {
    const server = await serve({
      before: (_request, response) => {
        const encoding = encoder();
        response.writeHead(418, {
          'content-type': 'text/plain',
          ...encoded(coding, encoder).headers,
        });
        encoding.pipe(response);
        encoding.end('I am a teapot');
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.message).toContain('was answered 418: I am a teapot');
  });
});

describe('Accept-Encoding', () => {
  it('names what can be decoded', async () => {
    const server = await serve({});
    await pong(await client(`${server.origin}/mcp`));
    await pong(await client(`${server.origin}/sse`));
    const asked = new Set(server.requests.map(({ headers }) => headers['accept-encoding']));
    expect([...asked]).toEqual([ACCEPT_ENCODING]);
    expect(ACCEPT_ENCODING).toMatch(/^gzip, deflate, br/);
  });

  it('is that of the program, and every response is still decoded', async () => {
    const server = await serve(encoded('gzip', gzip));
    const headers = { 'Accept-Encoding': 'identity' };
    expect(await pong(await client(`${server.origin}/mcp`, { headers }))).toEqual(PONG);
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
  });
});

describe('several codings in a row', () => {
  it('are decoded from the last to the first', async () => {
    const server = await serve({
      before: (request, response) => {
        const { id, method } = request.json as { id?: number; method: string };
        if (method !== 'tools/call') return false;
        const result = { content: [{ type: 'text', text: 'twice' }] };
        const document = JSON.stringify({ jsonrpc: '2.0', id, result });
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-encoding': 'br, gzip',
        });
        response.end(zlib.gzipSync(zlib.brotliCompressSync(document)));
        return true;
      },
    });
    const to = await client(`${server.origin}/mcp`);
    expect(await to.callTool('echo')).toMatchObject({ content: [{ text: 'twice' }] });
  });
});

describe('a body that cannot be decoded', () => {
  it.each(['lzw', 'gzip, lzw', 'gzip, gzip, gzip, gzip, gzip'])(
    '(%s) is an error that names the coding and what to do',
    async (coding) => {
      const server = await serve({ headers: { 'content-encoding': coding } });
      const error = await failureOf(connect(`${server.origin}/mcp`));
      expect(error.message).toContain(coding.includes('lzw') ? 'lzw' : coding);
      expect(error.hint).toContain("'accept-encoding': 'identity'");
      const sse = await failureOf(connect(`${server.origin}/sse`, { transport: 'sse' }));
      expect(sse.message).toContain(coding.includes('lzw') ? 'lzw' : coding);
    },
  );

  it('of an error is mentioned in the error', async () => {
    const server = await serve({
      before: (_request, response) => {
        response.writeHead(418, { 'content-encoding': 'lzw' }).end('rubbish');
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.message).toContain('answered 418 with a body in the content coding lzw');
  });

  it('is one that is not in its coding', async () => {
    const server = await serve({ headers: { 'content-encoding': 'gzip' } });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.message).toContain('is not gzip, as it says');
    expect(error.hint).toContain("'accept-encoding': 'identity'");
  });

  it('does not matter if it is empty, or nobody reads it', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const server = await serve({
      before: (request, response) => {
        if ('id' in (request.json as object)) return false;
        response.writeHead(202, headers).end();
        return true;
      },
    });
    expect(await pong(await client(`${server.origin}/mcp`))).toEqual(PONG);
  });
});

describe('a body that ends in the middle of its coding', () => {
  /** Answers calls with half of the answer, and Content-Length as it says. */
  const half = (length: (all: Buffer) => number): HttpHabits => ({
    before: (request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: number; method?: string };
      if (method !== 'tools/call') return false;
      const result = { content: [{ type: 'text', text: 'x'.repeat(1000) }] };
      const all = zlib.gzipSync(JSON.stringify({ jsonrpc: '2.0', id, result }));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': length(all),
      });
      response.write(all.subarray(0, Math.min(length(all), all.length)), () => response.destroy());
      return true;
    },
  });

  it('is a lost connection', async () => {
    const server = await serve(half((all) => Math.floor(all.length / 2)));
    const to = await client(`${server.origin}/mcp`, { retry: { maxAttempts: 0 } });
    const error = await failureOf(to.callTool('echo'));
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(error.message).toContain('ended in the middle of the gzip');
    expect(error.message).toContain('Content-Length');
  });

  it('is complete if the coding says so, whatever Content-Length says', async () => {
    const server = await serve(half((all) => all.length + 1000));
    const to = await client(`${server.origin}/mcp`, { retry: { maxAttempts: 0 } });
    expect(await to.callTool('echo')).toMatchObject({ content: [{ text: 'x'.repeat(1000) }] });
  });

  it('is resumed if its events have ids', async () => {
    let isCut = false;
    const server = await startHttpFixture((request, response) => {
      const { id, method, params } = (request.json ?? {}) as {
        id?: number;
        method?: string;
        params?: { protocolVersion?: string };
      };
      const send = (status: number, body?: object, headers = {}): void => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(body && JSON.stringify(body));
      };
      const resumesAt = request.headers['last-event-id'];
      if (request.method === 'GET' && resumesAt !== undefined) {
        const result = { content: [{ type: 'text', text: `after ${String(resumesAt)}` }] };
        const event = `id: 2\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: callId, result })}\n\n`;
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'content-encoding': 'gzip',
        });
        response.end(zlib.gzipSync(event));
      } else if (request.method !== 'POST') send(405);
      else if (method === 'initialize') {
        const { protocolVersion } = params ?? {};
        const serverInfo = { name: 'cut', version: '1' };
        const result = { protocolVersion, capabilities: { tools: {} }, serverInfo };
        send(200, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': 's-1' });
      } else if (id === undefined) send(202);
      else if (method === 'tools/call') {
        callId = id;
        isCut = true;
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'content-encoding': 'gzip',
        });
        const encoding = gzip();
        encoding.on('data', (chunk: Buffer) => response.write(chunk));
        encoding.write('id: 1\ndata:\n\n');
        encoding.flush();
        // Properly ended by HTTP, and cut off in the coding.
        setTimeout(() => response.end(), 20);
      } else send(200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } });
    });
    let callId: number | undefined;
    open.push(server);
    const to = await client(`${server.origin}/mcp`, { retry: { firstDelayMs: 5 } });
    expect(await to.callTool('echo')).toMatchObject({ content: [{ text: 'after 1' }] });
    expect(isCut).toBe(true);
  });

  it('is a lost stream over HTTP+SSE', async () => {
    const server = await serve(encoded('gzip', gzip));
    const to = await client(`${server.origin}/sse`, { retry: { firstDelayMs: 5 } });
    await server.close();
    await until(() => to.state.name !== 'ready');
  });
});

describe('a bomb', () => {
  const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));

  it.each([
    ['document', 'application/json', ''],
    ['event', 'text/event-stream', 'data: '],
  ])('of a %s is over the limit, and is not decoded further', async (_what, type, beginning) => {
    const server = await serve({
      before: (request, response) => {
        if ((request.json as { method?: string }).method !== 'tools/call') return false;
        response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
        response.end(Buffer.concat([zlib.gzipSync(beginning), bomb]));
        return true;
      },
    });
    const to = await client(`${server.origin}/mcp`, { limits: { maxEventBytes: 100_000 } });
    expect(await failureOf(to.callTool('echo'))).toMatchObject({ code: 'limit-exceeded' });
    expect(await failureOf(to.callTool('echo'))).toMatchObject({ code: 'limit-exceeded' });
  });

  it('of an error is read only for its excerpt', async () => {
    const server = await serve({
      before: (_request, response) => {
        response.writeHead(418, { 'content-encoding': 'gzip' }).end(bomb);
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.code).toBe('http-status');
    expect(error.message.length).toBeLessThan(1000);
  });

  it('is not decoded further once the decoder is destroyed', async () => {
    let bytes = 0;
    const decoding: Decoding = new Decoding(
      ['gzip'],
      {
        onDecoded: (chunk) => {
          bytes += chunk.length;
          decoding.destroy();
        },
        onDecodingEnd: () => expect.unreachable('it was destroyed'),
      },
      { pause: () => {}, resume: () => {} },
    );
    decoding.write(bomb);
    await until(() => bytes > 0);
    await delay(50);
    expect(bytes).toBeLessThan(1_000_000);
  });
});
