import { afterEach, describe, expect, it } from 'vitest';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { connect, type ConnectError, type LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();
const clients: LongwireClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function connected(...args: Parameters<typeof connect>): Promise<LongwireClient> {
  const client = await connect(...args);
  clients.push(client);
  return client;
}

const asked = ({ requests }: { requests: { method: string; url: string; json: unknown }[] }) =>
  requests
    .filter(({ method, url }) => method === 'POST' || url !== '/mcp')
    .map(({ method, url, json }) =>
      [method, url, (json as { method?: string } | undefined)?.method].join(' ').trim(),
    )
    .filter((line) => !line.endsWith('notifications/initialized'));

describe.each(['legacy', 'modern'] as const)('dialling a server of the %s era', (era) => {
  it.each(['/mcp', '', '/', '/mcp/', '/mcp?a=b'])('finds it at …%s', async (path) => {
    await using server = await startStreamable({ era });
    const client = await connected(new URL(server.url).origin + path);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'streamable-http' });
    expect(client.sdk.getProtocolEra()).toBe(era);
    expect(server.messagesOf('initialize')).toHaveLength(era === 'legacy' ? 1 : 0);
    expect(server.messagesOf('tools/call')).toEqual([]);
    expect(server.violations).toEqual([]);
    await client.close();
  });

  it('remembers the result, and sends that probe alone', async () => {
    await using server = await startStreamable({ era });
    await connected(server.url);
    const first = asked(server).length;
    await connected(server.url);
    const question = era === 'legacy' ? 'initialize' : 'server/discover';
    expect(asked(server).slice(first)).toEqual([`POST /mcp ${question}`]);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('finds it again in the other era with the next probe', async () => {
    await using server = await startStreamable({ era });
    await connected(server.url);
    server.dropSessions();
    const other = era === 'legacy' ? 'modern' : 'legacy';
    server.mischief.era = other;
    const again = await connected(server.url);
    expect(again.sdk.getProtocolEra()).toBe(other);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('fails with its error when it refuses', async () => {
    const status = 403;
    await using server = await startStreamable({ era, postFaults: [{ status, body: 'not you' }] });
    const error = await failureOf(connect(server.url));
    expect(error).toMatchObject({ code: 'forbidden', certainty: 'not-sent' });
    expect(error.message).toContain('not you');
    expect(asked(server)).toEqual(['POST /mcp server/discover', 'POST /mcp initialize']);
  });

  it('fails with another transport', async () => {
    await using server = await startStreamable({ era });
    const error = await failureOf(connect(server.url, { transport: 'sse' }));
    expect(error.code).toBe('not-mcp');
    expect(server.messages).toEqual([]);
  });

  it('closes its requests when it is aborted', async () => {
    await using server = await startStreamable({ era, holdPost: () => new Promise(() => {}) });
    const error = await failureOf(connect(server.url, { timeouts: { connectMs: 200 } }));
    expect(error).toMatchObject({ code: 'connect-timeout', certainty: 'not-sent' });
  });
});

describe('a server of the legacy era that knows server/discover', () => {
  const odd: [unknown][] = [
    [undefined],
    [null],
    [[]],
    [['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']],
    [['2027-01-01']],
    ['2026-07-28'],
    [['2026-07-28', 7]],
  ];
  it.each(odd)('and names the versions %j gets initialize', async (supportedVersions) => {
    const result = { resultType: 'complete', capabilities: {}, supportedVersions };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'HERE', result }).replace('"HERE"', 'ID');
    const headers = { 'content-type': 'application/json' };
    const discovered = { method: 'server/discover', status: 200, headers, body };
    await using server = await startStreamable({ postFaults: [discovered] });
    const client = await connected(server.url);
    expect(client.sdk.getProtocolEra()).toBe('legacy');
    expect(client.protocolVersion).toBe('2025-11-25');
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject({
      content: [{ text: 'x' }],
    });
    expect(server.messagesOf('initialize')).toHaveLength(1);
    // After a restart as well: of the session that follows nothing else is asked.
    server.dropSessions();
    await client.callTool('echo', { message: 'y' });
    expect(server.messagesOf('initialize')).toHaveLength(2);
    await client.close();
  });

  it('is shown with its versions, if it does not know initialize either', async () => {
    const result = { capabilities: {}, supportedVersions: ['2027-01-01'] };
    await using server = await startHttpFixture((request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: unknown; method?: string };
      const said =
        method === 'server/discover' ? { result } : { error: { code: -32601, message: 'no' } };
      response.writeHead(request.method === 'GET' ? 405 : 200, {
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.code).toBe('not-mcp');
    expect(error.message).toContain('it names only 2027-01-01');
  });
});

describe('an answer to the first probe', () => {
  const html = { 'content-type': 'text/html' };
  it.each([
    [202, {}, ''],
    [200, html, '<html></html>'],
    [200, { 'content-type': 'application/json' }, '{"hello":"world"}'],
    [200, { 'content-type': 'application/json' }, '{"jsonrpc":"2.0","id":"other","result":{}}'],
    [200, { 'content-type': 'text/event-stream' }, 'event: result\ndata: {}\n\n'],
    [406, {}, ''],
    [501, {}, ''],
  ])('that is %i %j %j is none', async (status, headers, body) => {
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(status, headers).end(body);
    });
    const error = (await failureOf(connect(`${server.origin}/mcp`))) as ConnectError;
    expect(error).toMatchObject({ code: 'not-mcp', certainty: 'not-sent' });
    expect(asked(server)).toEqual(['POST /mcp server/discover', 'POST /mcp initialize']);
    expect(error.tried).toHaveLength(3);
  });

  it('of a failing server ends the detection', async () => {
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(502).end('bad gateway');
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error).toMatchObject({ code: 'http-status', certainty: 'not-sent' });
    expect(asked(server)).toEqual(['POST /mcp server/discover', 'POST /mcp initialize']);
  });

  it.each([307, 308])('may be %i to the same origin', async (status) => {
    await using inner = await startStreamable();
    await using server = await startHttpFixture((request, response) => {
      if (request.url === '/old') response.writeHead(status, { location: '/mcp' }).end();
      else {
        void fetch(inner.url, {
          method: request.method,
          headers: Object.entries(request.headers).flatMap(([name, value]) =>
            /^(accept|content-type|mcp-.*)$/.test(name) ? [[name, String(value)]] : [],
          ) as [string, string][],
          ...(request.body !== '' && { body: request.body }),
        }).then(async (answer) => {
          const headers = Object.fromEntries(
            [...answer.headers].filter(([name]) => /^(content-type|mcp-.*)$/.test(name)),
          );
          response.writeHead(answer.status, headers);
          response.end(Buffer.from(await answer.arrayBuffer()));
        });
      }
    });
    inner.mischief.getAnswer = { status: 405 };
    const client = await connected(`${server.origin}/old`);
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject({
      content: [{ text: 'x' }],
    });
    await client.close();
  });
});
