import type { ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import type { HttpFixture, RecordedRequest } from '../../../../test/support/http-fixture.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { type HttpHabits } from '../../../../test/support/small-server.ts';
import { selfSigned } from '../../../../test/support/certificates.ts';
import { startTlsFront } from '../../../../test/support/tls-front.ts';
import { connect, type ClientOptions } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { smallServers } from '../support/small-servers.ts';

const { open, serve } = smallServers();

async function echoOf(url: string, options?: ClientOptions): Promise<string> {
  await using client = await connect(url, options);
  const { content } = await client.callTool('echo', { a: 1 });
  return JSON.stringify(content);
}

const ECHOED = JSON.stringify([{ type: 'text', text: '{"a":1}' }]);

const redirect =
  (status: number, from: string, location: string): NonNullable<HttpHabits['before']> =>
  ({ url }: RecordedRequest, response: ServerResponse) => {
    if (url !== from) return false;
    response.writeHead(status, { location }).end();
    return true;
  };

describe('a redirect to the same origin', () => {
  it.each([301, 302, 307, 308])(
    '%i that only drops a slash: a POST goes there as it is',
    async (status) => {
      const server = await serve({ before: redirect(status, '/mcp/', '/mcp') });
      expect(await echoOf(`${server.origin}/mcp/`)).toBe(ECHOED);
      const calls = server.requests.filter(({ body }) => body.includes('tools/call'));
      expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
        'POST /mcp/',
        'POST /mcp',
      ]);
    },
  );

  it.each([301, 302, 307, 308])('%i that only adds a slash, over HTTP+SSE', async (status) => {
    const server = await serve({
      before: (request, response) =>
        redirect(status, '/sse', '/sse/')(request, response) ||
        (request.url === '/sse/' ? ((request.url = '/sse'), false) : false),
    });
    expect(await echoOf(`${server.origin}/sse`)).toBe(ECHOED);
  });

  it.each([301, 302, 303])('%i of a GET is followed anywhere', async (status) => {
    const server = await serve({ before: redirect(status, '/old/sse', '/sse') });
    expect(await echoOf(`${server.origin}/old/sse`)).toBe(ECHOED);
  });

  it.each([301, 302, 303])('%i of a POST to another path says where to', async (status) => {
    const server = await serve({ before: redirect(status, '/old', '/mcp?key=hush-hush') });
    const error = await failureOf(echoOf(`${server.origin}/old`, { transport: 'streamable-http' }));
    expect(error.message).toContain(`answered ${status}, a redirect to ${server.origin}/mcp`);
    expect(error.message).toContain('use that address if the server is there');
    expect(error.message).not.toContain('hush');
    expect(server.requests.filter(({ url }) => url.startsWith('/mcp'))).toEqual([]);
  });

  it('in a circle fails with an error that says so', async () => {
    const server = await serve({ before: redirect(307, '/mcp', '/mcp') });
    const error = await failureOf(echoOf(`${server.origin}/mcp`));
    expect(error.message).toContain('redirected 5 times');
  });
});

describe('a redirect to another origin', () => {
  const elsewhere = 'http://127.0.0.1:9';

  it.each([301, 302, 303, 307, 308])('%i is never followed, and shown once', async (status) => {
    const server = await serve({
      before: (_request, response) => {
        response.writeHead(status, { location: `${elsewhere}/mcp?token=hush-hush` }).end();
        return true;
      },
    });
    for (const path of ['/mcp', '/sse', '/', '']) {
      const error = await failureOf(echoOf(server.origin + path));
      expect(error.code).toBe('protocol');
      expect(error.message.split(`${elsewhere}/mcp`)).toHaveLength(2);
      expect(error.message).toContain('connect to that address itself if you trust it');
      expect(error.message).not.toContain('hush');
    }
    // The rest would meet the same.
    expect(server.requests).toHaveLength(4);
  });

  it.each([301, 302, 307, 308])(
    '%i from http to https of one host: says to use https',
    async (status) => {
      const server = await serve({
        before: ({ url }, response) => {
          response.writeHead(status, { location: `https://127.0.0.1:9${url}` }).end();
          return true;
        },
      });
      const error = await failureOf(
        echoOf(`${server.origin}/mcp`, { headers: { authorization: 'Bearer hush-hush' } }),
      );
      expect(error.hint).toBe('use https://127.0.0.1:9/mcp');
      expect(error.message).toMatch(/use https:\/\/127\.0\.0\.1:9\/mcp$/);
    },
  );

  it.each(['blob:ORIGIN/1', 'filesystem:ORIGIN/temporary/x', 'file:///etc/passwd', 'data:,x'])(
    '%s is none of the server’s own',
    async (location) => {
      const server: HttpFixture = await serve({
        before: (_request, response) => {
          const to = location.replace('ORIGIN', server.origin);
          response.writeHead(307, { location: to }).end();
          return true;
        },
      });
      const error = await failureOf(echoOf(`${server.origin}/mcp`));
      expect(error).toMatchObject({ code: 'protocol' });
      expect(error.message).toContain(`a ${location.split(':', 1)[0]}: URL`);
      expect(server.requests).toHaveLength(1);
    },
  );
});

describe('an endpoint', () => {
  it.each(['blob:ORIGIN/1', 'filesystem:ORIGIN/temporary/x', 'file:///x', 'ws://127.0.0.1/x'])(
    '%s is none of the server’s own',
    async (endpoint) => {
      const server: HttpFixture = await serve({
        endpoint: () => endpoint.replace('ORIGIN', server.origin),
      });
      const error = await failureOf(echoOf(`${server.origin}/sse`));
      expect(error).toMatchObject({ code: 'protocol', certainty: 'not-sent' });
      expect(error.message).toContain(`a ${endpoint.split(':', 1)[0]}: URL`);
      expect(server.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    },
  );

  it('of a server behind TLS that names itself by http is read as https', async () => {
    const server: HttpFixture = await serve({
      endpoint: (session) => `http://${host()}/messages?session_id=${session}`,
    });
    const front = await startTlsFront(server.origin);
    open.push(front);
    const host = (): string => new URL(front.origin).host;
    const dispatcher = new Agent({ connect: { ca: selfSigned.cert } });
    open.push({ [Symbol.asyncDispose]: () => dispatcher.destroy() });
    expect(await echoOf(`${front.origin}/sse`, { dispatcher })).toBe(ECHOED);
    expect(server.requests.filter(({ method }) => method === 'POST').length).toBeGreaterThan(2);
  });

  it.each([301, 307])('and so is a redirect (%i) of one', async (status) => {
    const server: HttpFixture = await serve({
      before: (request, response) =>
        redirect(status, '/mcp/', `http://${host()}/mcp`)(request, response),
    });
    const front = await startTlsFront(server.origin);
    open.push(front);
    const host = (): string => new URL(front.origin).host;
    const dispatcher = new Agent({ connect: { ca: selfSigned.cert } });
    open.push({ [Symbol.asyncDispose]: () => dispatcher.destroy() });
    expect(await echoOf(`${front.origin}/mcp/`, { dispatcher })).toBe(ECHOED);
  });

  it('of plain http on another host is refused, without the hint to use it', async () => {
    const server = await serve({ endpoint: () => 'http://internal:8000/messages?session_id=1' });
    const front = await startTlsFront(server.origin);
    open.push(front);
    const dispatcher = new Agent({ connect: { ca: selfSigned.cert } });
    open.push({ [Symbol.asyncDispose]: () => dispatcher.destroy() });
    const error = await failureOf(echoOf(`${front.origin}/sse`, { dispatcher }));
    expect(error).toMatchObject({ code: 'protocol', certainty: 'not-sent' });
    expect(error.hint).toContain('by https');
    expect(error.hint).not.toContain('http://');
  });
});

describe('the error of a detection', () => {
  const failureAt = async (
    answer: (request: RecordedRequest, response: ServerResponse) => void,
  ): Promise<string> => {
    const server = await startHttpFixture(answer);
    open.push(server);
    const { message } = await failureOf(connect(server.origin));
    return message.replaceAll(server.origin, 'ORIGIN');
  };

  it('shows one cause once, however many probes had it', async () => {
    const message = await failureAt((_request, response) => {
      response.writeHead(404).end('no such page');
    });
    expect(message).toBe(
      'could not connect to ORIGIN/: tried POST ORIGIN/mcp, GET ORIGIN/sse, POST ORIGIN/, ' +
        'GET ORIGIN/ (was answered 404: no such page); is this the address of an MCP server?',
    );
  });

  it('shows one cause once, also if the server repeats the request', async () => {
    const message = await failureAt(({ method, url }, response) => {
      response.writeHead(404).end(`Cannot ${method} ${url}`);
    });
    expect(message.match(/Cannot/g)).toHaveLength(1);
  });

  it('does not show a body that is no text', async () => {
    const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]);
    const message = await failureAt((_request, response) => {
      response.writeHead(500, { 'content-type': 'image/png' }).end(picture);
    });
    expect(message).toContain('answered 500 with 12 bytes that are no text (image/png)');
    expect(message).toMatch(/^[\x20-\x7e]*$/);
  });

  it('does not show the markup of a document', async () => {
    const message = await failureAt((_request, response) => {
      const headers = { 'content-type': 'application/json' };
      response.writeHead(200, headers).end(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xfe]));
    });
    expect(message).toContain('characters that are no text');
    expect(message).not.toMatch(/\p{Cc}|\ufffd/u);
  });

  it('decodes text by the charset of its content type', async () => {
    const message = await failureAt((_request, response) => {
      const headers = { 'content-type': 'text/plain; charset=windows-1251' };
      response.writeHead(404, headers).end(Buffer.from([0xed, 0xe5, 0xf2]));
    });
    expect(message).toContain('answered 404: нет');
  });
});
