import { McpServer, requireScopes } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { serve, type Serving } from '../../src/index.ts';
import { call, endpointOf, open, opened, post, stream, type Answer } from '../fixture.ts';
import { ask, toolCall } from '../stateless/requests.ts';

/** How a call of a tool is posted, with these headers. */
type Send = (headers: Record<string, string>) => Promise<Answer>;

const CLIENTS: Readonly<Record<string, (serving: Serving) => Promise<Send>>> = {
  'HTTP+SSE': async ({ sseUrl }) => {
    const raw = await stream(sseUrl);
    const endpoint = await endpointOf(raw, sseUrl);
    return async (headers) => {
      const answer = await post(endpoint, call(1, 'write'), headers);
      return answer.status === 202 ? { ...answer, text: await raw.nextOf('message') } : answer;
    };
  },
  'Streamable HTTP': async ({ url }) => {
    const session = await opened(url);
    return (headers) => post(url, call(1, 'write'), { ...session, ...headers });
  },
  'the stateless protocol': async ({ url }) => {
    return (headers) => ask(url, toolCall('write'), headers);
  },
  'tool-events': async ({ sseUrl }) => {
    const endpoint = await endpointOf(await stream(sseUrl), sseUrl);
    const session_id = new URL(endpoint).searchParams.get('session_id');
    return (headers) => post(sseUrl, { session_id, tool: 'write' }, headers);
  },
};

it.each(Object.keys(CLIENTS))(
  'a tool that needs more scopes answers 403, over %s',
  async (name) => {
    let ran = 0;
    const serving = await serve({
      create: () => {
        const server = new McpServer({ name: 'scoped', version: '1.0.0' });
        server.registerTool('write', { scopeChallenge: requireScopes('write') }, () => {
          ran++;
          return { content: [{ type: 'text', text: 'written' }] };
        });
        return server;
      },
      toolEvents: name === 'tool-events',
      auth: ({ headers }) => {
        const scopes = String(headers['x-scopes'] ?? '').split(' ');
        return { id: 'ada', authInfo: { token: 't', clientId: 'c', scopes } };
      },
    });
    open.push(() => serving.close());
    const send = await CLIENTS[name]!(serving);
    const refused = await send({ 'x-scopes': 'read' });
    expect(refused.status).toBe(403);
    expect(refused.headers['www-authenticate']).toContain('error="insufficient_scope"');
    expect(refused.headers['www-authenticate']).toContain('scope="write"');
    expect(ran).toBe(0);
    expect((await send({ 'x-scopes': 'read write' })).text).toContain('written');
    expect(ran).toBe(1);
  },
);
