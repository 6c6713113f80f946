import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { connect, type LongwireClient } from '../../src/index.ts';
import { ConnectError } from '../../src/errors.ts';
import { until } from '../../../../test/support/until.ts';

const clients: LongwireClient[] = [];

async function connected(...args: Parameters<typeof connect>): Promise<LongwireClient> {
  const client = await connect(...args);
  clients.push(client);
  return client;
}

const failure = (...args: Parameters<typeof connect>): Promise<ConnectError> =>
  connect(...args).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as ConnectError,
  );

beforeEach(() => {
  clients.length = 0;
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
});

describe('dialing', () => {
  it.each(['/sse', '', '/', '/sse/?a=b'])('finds an HTTP+SSE server at …%s', async (path) => {
    await using server = await startHostileSse();
    const client = await connected(new URL(server.url).origin + path);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'sse' });
    expect(server.messagesOf('initialize')).toHaveLength(1);
  });

  it.each(['/sse', '', '/'])('finds a tool-events server at …%s', async (path) => {
    await using server = await startToolEventsServer({ kind: 'fixed-endpoint' });
    const client = await connected(server.url + path, { headers: { api_key: server.apiKey } });
    expect(client.state).toMatchObject({ name: 'ready', transport: 'tool-events' });
    const posts = server.requests.filter(({ method }) => method === 'POST');
    expect(posts.at(-1)).toMatchObject({
      url: '/messages/?session_id=abc&v=2',
      json: { method: 'initialize' },
    });
    // What ends in /sse is not asked by POST, because that may be the call of a tool.
    expect(posts).toHaveLength(path === '/sse' ? 1 : 3);
    expect(server.calls).toEqual([]);
  });

  it('probes below a path of its own', async () => {
    await using server = await startHostileSse();
    const client = await connected(`${new URL(server.url).origin}/tenant`);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'sse' });
    expect(server.requests.filter(({ method }) => method === 'GET').map(({ url }) => url)).toEqual([
      '/tenant',
      '/tenant/sse',
    ]);
  });

  it('remembers the result, and drops it when a handshake fails', async () => {
    const kind = 'answers-in-body' as const;
    await using server = await startToolEventsServer({ kind });
    const options = { headers: { api_key: server.apiKey } };
    await connected(server.url, options);
    await connected(server.url, options);
    const posts = () => server.requests.filter(({ method }) => method === 'POST');
    expect(posts()).toHaveLength(3);
    await failure(server.url, { headers: { api_key: 'wrong' } });
    await connected(server.url, options);
    expect(posts()).toHaveLength(6);
  });

  it('uses HTTP+SSE for a server with `tools` events that answers initialize', async () => {
    await using server = await startHostileSse();
    server.mischief.answer = (request) => {
      if (request.method === 'initialize') server.pushEvent('tools', '[]');
      return undefined;
    };
    const client = await connected(server.url);
    expect(client.state).toMatchObject({ transport: 'sse' });
  });

  it('opens another session when a tool-events server does not answer initialize', async () => {
    let streams = 0;
    await using server = await startHttpFixture((request, response) => {
      if (request.url === '/mcp') {
        response.writeHead(404).end();
      } else if (request.method === 'GET') {
        streams++;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('event: endpoint\ndata: /m?session_id=s\n\nevent: tools\ndata: []\n\n');
      } else {
        response.writeHead(202).end();
      }
    });
    const client = await connected(server.origin);
    expect(client.state).toMatchObject({ transport: 'tool-events' });
    expect(streams).toBe(2);
    const posts = server.requests.filter(({ method }) => method === 'POST');
    expect(posts.filter(({ url }) => url.startsWith('/m?'))).toHaveLength(1);
  });

  it('uses the given transport, or fails', async () => {
    await using server = await startHostileSse();
    const client = await connected(server.url, { transport: 'sse' });
    expect(client.state).toMatchObject({ transport: 'sse' });
    const error = await failure(server.url, {
      transport: 'tool-events',
      timeouts: { connectMs: 200 },
    });
    expect(error).toMatchObject({ code: 'connect-timeout', certainty: 'not-sent' });
    expect(server.messagesOf('initialize')).toHaveLength(1);
  });
});

describe('a dial that fails', () => {
  it('says that nothing listens', async () => {
    const server = await startHttpFixture(() => {});
    await server.close();
    const error = await failure(server.origin);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.message).toContain('nothing listens');
    expect(error.tried).toHaveLength(1);
  });

  it('lists the probes when there is no MCP server', async () => {
    await using server = await startHttpFixture((request, response) => {
      if (request.url === '/sse') response.writeHead(404).end('no such page');
      else response.writeHead(200, { 'content-type': 'text/plain' }).end('Welcome');
    });
    const error = await failure(server.origin);
    expect(error.code).toBe('not-mcp');
    expect(error.tried.map(({ url }) => new URL(url).pathname)).toEqual(
      '/mcp /mcp /sse / / /'.split(' '),
    );
    expect(error.message).toContain('no such page');
    expect(error.message).toContain('text/plain');
  });

  it('sends no other probe after 401, and does not show the query', async () => {
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(401).end('who are you?');
    });
    const error = await failure(`${server.origin}/?token=hush`);
    expect(error.code).toBe('unauthorized');
    expect(error.message).not.toContain('hush');
    expect(server.requests.map(({ url }) => url)).toEqual(['/mcp?token=hush', '/mcp?token=hush']);
  });

  it('fails at the deadline when the endpoint event never comes', async () => {
    await using server = await startHostileSse({ endpoint: 'never' });
    const error = await failure(server.url, { timeouts: { connectMs: 150 } });
    expect(error.code).toBe('connect-timeout');
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it('sends nothing to an endpoint of another origin', async () => {
    await using server = await startHostileSse({ endpoint: 'other-origin' });
    const error = await failure(server.url);
    expect(error).toMatchObject({ code: 'protocol', certainty: 'not-sent' });
    expect(error.message).toContain('another origin');
    expect(server.otherOrigin.acceptedConnections()).toBe(0);
  });

  it.each(['GET', 'POST'] as const)('does not follow a %s to another origin', async (method) => {
    await using server = await startHostileSse({
      redirect: { method, status: 307, to: 'other-origin' },
    });
    const error = await failure(server.url, { headers: { authorization: 'Bearer hush' } });
    expect(error).toMatchObject({ code: 'protocol', certainty: 'not-sent' });
    expect(server.otherOrigin.acceptedConnections()).toBe(0);
  });

  it.each([307, 308])('follows %s to the same origin', async (status) => {
    await using server = await startHostileSse({
      redirect: { method: 'GET', status, to: 'same-origin' },
    });
    const client = await connected(server.url);
    expect(client.state).toMatchObject({ name: 'ready' });
  });

  it('shows the server’s error when initialize is refused', async () => {
    await using server = await startHostileSse({
      postFaults: [{ method: 'initialize', status: 500, body: 'out of order' }],
    });
    const error = await failure(server.url);
    expect(error.message).toContain('out of order');
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it('fails with the reason of an abort', async () => {
    await using server = await startHostileSse({ endpoint: 'never' });
    const error = await failure(server.url, { signal: AbortSignal.timeout(50) });
    expect(error).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    await until(() => expect(server.openConnections()).toBe(0));
  });
});

describe('starting', () => {
  // A pipe that breaks is noticed before the end of the process, and says less.
  it('a program that ends without reading shows its last words', async () => {
    const error = await failure({ command: 'sh', args: ['-c', 'echo no licence >&2; exit 7'] });
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'not-sent' });
    expect(error.message).toMatch(/ended with code 7; its last words: no licence$/);
  });
});
