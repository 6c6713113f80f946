import { describe, expect, it } from 'vitest';
import type { HttpFixture } from '../../../../test/support/http-fixture.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { until } from '../../../../test/support/until.ts';
import { connect } from '../../src/index.ts';
import { endpointBelowPrefix } from '../../src/channels/sse/endpoint.ts';
import { failureOf } from '../support/failure-of.ts';
import { smallServers } from '../support/small-servers.ts';

const { serve } = smallServers();

const posts = ({ requests }: HttpFixture): string[] =>
  requests
    .filter(({ method }) => method === 'POST')
    .map(({ url, json }) => `${url.split('?', 1)[0]} ${(json as { method: string }).method}`);

/** What a server names that knows nothing of the prefix before it. */
const withoutPrefix = (session: string): string => `/messages?session_id=${session}`;

describe('an endpoint behind a proxy that removes a prefix', () => {
  it.each(['/team', '/a/deep/prefix'])('is found below %s', async (prefix) => {
    const server = await serve({ prefix, endpoint: withoutPrefix });
    await using client = await connect(`${server.origin}${prefix}/sse`);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'sse' });
    expect(await client.callTool('echo', { a: 1 })).toMatchObject({ content: [{}] });
    expect(posts(server).slice(0, 2)).toEqual([
      '/messages initialize',
      `${prefix}/messages initialize`,
    ]);
    // All else goes to the place that took it.
    expect(posts(server).filter((post) => post.startsWith('/messages'))).toHaveLength(1);
  });

  it('is found again for a new session', async () => {
    const server = await serve({ prefix: '/team', endpoint: withoutPrefix });
    await using client = await connect(`${server.origin}/team/sse`, { retry: { firstDelayMs: 5 } });
    server.dropConnections();
    await until(() => expect(client.state.name).not.toBe('ready'));
    await until(() => expect(client.state.name).toBe('ready'));
    expect(await client.callTool('echo', { a: 1 })).toMatchObject({ content: [{}] });
  });

  it('is searched only if nothing is at the named endpoint', async () => {
    const server = await serve({
      prefix: '/team',
      endpoint: withoutPrefix,
      before: ({ url }, response) => {
        if (!url.startsWith('/messages')) return false;
        response.writeHead(500).end('out of order');
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/team/sse`, { transport: 'sse' }));
    expect(error.message).toContain('out of order');
    expect(posts(server)).toEqual(['/messages initialize']);
  });

  it('that is not found fails with the error of the named endpoint', async () => {
    const server = await serve({ prefix: '/team', endpoint: () => '/other?session_id=1' });
    const error = await failureOf(connect(`${server.origin}/team/sse`, { transport: 'sse' }));
    expect(error.message).toContain(`POST ${server.origin}/other was answered 404`);
    expect(posts(server)).toEqual(['/other initialize', '/team/other initialize']);
  });

  it('is not searched for a tool-events server', async () => {
    await using server = await startToolEventsServer({ kind: 'fixed-endpoint' });
    const headers = { api_key: server.apiKey };
    await using client = await connect(`${server.url}/sse`, { headers });
    expect(client.state).toMatchObject({ transport: 'tool-events' });
  });
});

describe('the endpoint below a prefix', () => {
  it.each([
    ['/p/sse', '/messages/?session_id=1', '/p/messages/?session_id=1'],
    ['/p/q/sse/', '/m', '/p/q/m'],
    ['/sse', '/messages', undefined],
    ['/p/sse', '/p/messages', undefined],
    ['/p/sse', '/pq/messages', '/p/pq/messages'],
  ])('stream %s, endpoint %s: %s', (stream, endpoint, expected) => {
    const at = (path: string): URL => new URL(path, 'https://h');
    expect(endpointBelowPrefix(at(endpoint), at(stream))?.href).toBe(
      expected === undefined ? undefined : at(expected).href,
    );
  });
});
