import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  startHttpFixture,
  type HttpFixture,
  type RecordedRequest,
} from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, createClient, type ConnectError } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

/** Answers a request itself when it returns true. */
type Habit = (
  asked: { method: string; request: RecordedRequest },
  response: ServerResponse,
) => boolean;

/** A server of the legacy era with a habit: of its own it knows `initialize` and an empty list. */
function startOld(habit: Habit = () => false): Promise<HttpFixture> {
  return startHttpFixture((request, response) => {
    const { id, method = request.method } = (request.json ?? {}) as {
      id?: unknown;
      method?: string;
    };
    if (habit({ method, request }, response)) return;
    if (request.method !== 'POST') response.writeHead(405).end();
    else if (id === undefined) response.writeHead(202).end();
    else {
      const body = JSON.stringify({ jsonrpc: '2.0', id, ...said(method) });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }
  });
}

function said(method: string): object {
  if (method === 'tools/list') return { result: { tools: [] } };
  if (method !== 'initialize') return { error: { code: -32601, message: 'no such method' } };
  const serverInfo = { name: 'old', version: '1' };
  return { result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo } };
}

const askedOf = ({ requests }: Pick<HttpFixture, 'requests'>): string[] =>
  requests
    .map(({ method, url, json }) => {
      const rpc = (json as { method?: string } | undefined)?.method;
      return rpc === undefined ? `${method} ${url}` : `${rpc} ${url}`;
    })
    .filter((line) => !line.startsWith('notifications/') && !line.startsWith('tools/list'));

/** A few seconds: a silent probe may take a part of that. */
const soon = { timeouts: { connectMs: 3000 } };

describe('a server of the legacy era that gets server/discover', () => {
  const rubbish = '{"jsonrpc":"2.0","id":"somebody else","result":{}}';
  it.each<[what: string, habit: (response: ServerResponse) => unknown]>([
    ...[401, 402, 403, 407, 409, 410, 413, 426, 428, 429, 451, 502, 503, 504, 521].map(
      (status): [string, (response: ServerResponse) => unknown] => [
        `with ${status}`,
        (response) => response.writeHead(status).end('what is that?'),
      ],
    ),
    ['with 429 and Retry-After', (r) => r.writeHead(429, { 'retry-after': '3600' }).end()],
    ['with a page', (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')],
    ['with rubbish', (r) => r.writeHead(200, { 'content-type': 'application/json' }).end(rubbish)],
    ['with half an answer', (r) => r.writeHead(200, { 'content-length': '99' }).end('{"json')],
    ['with a reset', (response) => response.destroy()],
    ['with silence', () => undefined],
    [
      'with a stream that says nothing',
      (r) => r.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    ],
  ])('%s gets initialize, with the credentials, once', async (_what, habit) => {
    await using server = await startOld(({ method }, response) => {
      if (method !== 'server/discover') return false;
      habit(response);
      return true;
    });
    const headers = { authorization: 'Bearer hush' };
    const client = await connect(`${server.origin}/mcp`, { ...soon, headers });
    expect(client.protocolVersion).toBe('2025-06-18');
    expect(await client.listTools()).toEqual([]);
    const initialize = server.requests.filter(({ body }) => body.includes('"initialize"'));
    expect(initialize).toMatchObject([{ headers }]);
    await client.close();
  });

  it('may be an origin with its stream at another path', async () => {
    await using inner = await startOld(({ request }, response) => {
      response.writeHead(request.url === '/mcp' ? 403 : 404).end();
      return true;
    });
    const error = await failureOf(connect(inner.origin));
    expect(error.code).toBe('forbidden');
    expect(askedOf(inner)).toEqual(['server/discover /mcp', 'initialize /mcp']);
  });

  it.each([401, 403, 429, 502])(
    'and refuses initialize with %i, too, is told so',
    async (status) => {
      await using server = await startOld((_asked, response) => {
        response.writeHead(status).end('go away');
        return true;
      });
      const error = (await failureOf(connect(`${server.origin}/mcp`))) as ConnectError;
      const codes: Record<number, string> = { 401: 'unauthorized', 403: 'forbidden' };
      expect(error).toMatchObject({ code: codes[status] ?? 'http-status', certainty: 'not-sent' });
      expect(error.message).toContain('go away');
      expect(askedOf(server)).toEqual(['server/discover /mcp', 'initialize /mcp']);
    },
  );

  it('and does not know initialize fails with the error about credentials', async () => {
    await using server = await startOld(({ method }, response) => {
      response.writeHead(method === 'server/discover' ? 401 : 404).end();
      return true;
    });
    expect(await failureOf(connect(`${server.origin}/mcp`))).toMatchObject({
      code: 'unauthorized',
    });
  });
});

describe('a challenge', () => {
  const challenged = async (isAllowed: (method: string, token: unknown) => boolean) => {
    const server = await startOld(({ method, request }, response) => {
      if (request.method !== 'POST' || isAllowed(method, request.headers.authorization)) {
        return false;
      }
      response.writeHead(401).end('who are you?');
      return true;
    });
    const attempts: number[] = [];
    let token: string | undefined;
    const options = {
      headers: (): Record<string, string> => (token === undefined ? {} : { authorization: token }),
      auth: {
        // As OAuth does it: one flow, and no second one after a refusal.
        onChallenge: (_status: number, _headers: unknown, { attempt }: { attempt: number }) => {
          attempts.push(attempt);
          if (attempt > 1) return 'fail' as const;
          token = 'good';
          return 'retry' as const;
        },
      },
    };
    return { server, attempts, options, lose: () => (token = undefined) };
  };

  it('is answered once, and initialize uses the result', async () => {
    const { server, attempts, options, lose } = await challenged(
      (method, token) => method !== 'server/discover' && token === 'good',
    );
    await using _ = server;
    const client = await connect(`${server.origin}/mcp`, options);
    expect(client.protocolVersion).toBe('2025-06-18');
    expect(attempts).toEqual([1, 2]);
    expect(askedOf(server).slice(0, 3)).toEqual([
      'server/discover /mcp',
      'server/discover /mcp',
      'initialize /mcp',
    ]);
    // Afterwards every request has challenges of its own again.
    lose();
    expect(await client.listTools()).toEqual([]);
    expect(attempts).toEqual([1, 2, 1]);
    await client.close();
  });

  it('that fails is not answered again for initialize', async () => {
    const { server, attempts, options } = await challenged(() => false);
    await using _ = server;
    expect(await failureOf(connect(`${server.origin}/mcp`, options))).toMatchObject({
      code: 'unauthorized',
    });
    expect(attempts).toEqual([1, 2]);
    expect(askedOf(server).filter((line) => line.startsWith('initialize'))).toHaveLength(1);
  });

  it('of initialize alone is answered', async () => {
    const { server, attempts, options } = await challenged(
      (method, token) => method === 'server/discover' || token === 'good',
    );
    await using _ = server;
    const client = await connect(`${server.origin}/mcp`, options);
    expect(attempts).toEqual([1]);
    await client.close();
  });

  it('whose handler throws ends the detection', async () => {
    const { server, options } = await challenged(() => false);
    await using _ = server;
    const auth = {
      onChallenge: () => {
        throw new Error('no browser');
      },
    };
    const error = await failureOf(connect(`${server.origin}/mcp`, { ...options, auth }));
    expect(error).toMatchObject({ code: 'config' });
    expect(error.message).toContain('no browser');
    expect(askedOf(server)).toEqual(['server/discover /mcp']);
  });

  it('has its time, and no probe starts in parallel', async () => {
    const { server, options } = await challenged((_method, token) => token === 'good');
    await using _ = server;
    const { onChallenge } = options.auth;
    const auth = {
      onChallenge: async (...args: Parameters<typeof onChallenge>) => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return onChallenge(...args);
      },
    };
    const client = await connect(`${server.origin}/mcp`, { ...soon, ...options, auth });
    expect(askedOf(server).slice(0, 3)).toEqual([
      'server/discover /mcp',
      'server/discover /mcp',
      'initialize /mcp',
    ]);
    await client.close();
  });
});

describe('a slow server', () => {
  it('keeps its time while other probes could start', async () => {
    // An origin has six probes: none is limited to a sixth of the time.
    await using server = await startOld(({ request }, response) => {
      if (request.method !== 'POST' || request.url !== '/mcp') return false;
      const { id, method = '' } = request.json as { id?: unknown; method?: string };
      if (id === undefined) return false;
      const body = JSON.stringify({ jsonrpc: '2.0', id, ...said(method) });
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      }, 800);
      return true;
    });
    const client = await connect(server.origin, soon);
    expect(client.protocolVersion).toBe('2025-06-18');
    expect(askedOf(server).filter((line) => line.startsWith('initialize'))).toHaveLength(1);
    await client.close();
  });

  it('gets initialize once, however long it is silent', async () => {
    await using server = await startOld(({ request }) => request.method === 'POST');
    const error = (await failureOf(
      connect(server.origin, { timeouts: { connectMs: 1200 } }),
    )) as ConnectError;
    expect(error).toMatchObject({ code: 'connect-timeout', certainty: 'not-sent' });
    expect(askedOf(server).filter((line) => line.startsWith('initialize'))).toHaveLength(1);
    expect(error.tried.every(({ outcome }) => outcome !== '')).toBe(true);
  });

  it('is found by GET beside a POST that it never answers', async () => {
    let stream: ServerResponse | undefined;
    await using server = await startOld(({ method, request }, response) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: /messages?session_id=1\n\n');
      } else if (request.url.startsWith('/messages')) {
        response.writeHead(202).end();
        const { id } = request.json as { id?: unknown };
        const answer = JSON.stringify({ jsonrpc: '2.0', id, ...said(method) });
        if (id !== undefined) stream?.write(`data: ${answer}\n\n`);
      }
      return true;
    });
    const client = await connect(`${server.origin}/mcp`, soon);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'sse' });
    await client.close();
  });
});

describe('the result for a URL', () => {
  it('is remembered for the URL with its query', async () => {
    await using server = await startStreamable({ era: 'legacy' });
    const asked = (): string[] => askedOf(server);
    for (const query of ['?tenant=a', '?tenant=b', '?tenant=a', '']) {
      await (await connect(`${server.url}${query}`)).close();
    }
    const both = (query: string): string[] => [
      `server/discover /mcp${query}`,
      `initialize /mcp${query}`,
    ];
    expect(asked().filter((line) => !/^(GET|DELETE)/.test(line))).toEqual([
      ...both('?tenant=a'),
      ...both('?tenant=b'),
      'initialize /mcp?tenant=a',
      ...both(''),
    ]);
  });

  it('is replaced within the dial that finds a server of another kind', async () => {
    let kind: 'sse' | 'streamable' = 'sse';
    let stream: ServerResponse | undefined;
    await using server = await startOld(({ method, request }, response) => {
      if (kind === 'streamable') {
        if (request.url === '/mcp') return false;
        response.writeHead(404).end();
        return true;
      }
      if (request.method === 'GET' && request.url === '/sse') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: /messages?session_id=1\n\n');
      } else if (request.url.startsWith('/messages')) {
        response.writeHead(202).end();
        const { id } = request.json as { id?: unknown };
        const answer = JSON.stringify({ jsonrpc: '2.0', id, ...said(method) });
        if (id !== undefined) stream?.write(`data: ${answer}\n\n`);
      } else response.writeHead(404).end();
      return true;
    });
    const transports: unknown[] = [];
    for (const next of ['sse', 'streamable', 'sse'] as const) {
      kind = next;
      const client = await connect(server.origin);
      transports.push(client.state.name === 'ready' && client.state.transport);
      await client.close();
    }
    expect(transports).toEqual(['sse', 'streamable-http', 'sse']);
  });
});

it('leaves no request open when the client is closed during detection', async () => {
  let closed = 0;
  await using server = await startHttpFixture((_request, response) => {
    response.once('close', () => closed++);
  });
  const client = createClient(`${server.origin}/mcp`);
  const failed = failureOf(client.listTools());
  await until(() => expect(server.requests).toHaveLength(1));
  await client.close();
  expect(await failed).toMatchObject({ code: 'closed' });
  await until(() => expect(closed).toBe(1));
});
