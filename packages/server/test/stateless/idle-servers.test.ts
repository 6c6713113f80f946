import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { serve, type ServerFactory, type Serving } from '../../src/index.js';
import { deferred } from '../fixture.ts';
import { headersOf, toolCall } from './requests.ts';

const VERSION = '2026-07-28';
let serving: Serving | undefined;

afterEach(() => serving?.close());

/** A server that says who its client is, and how often it was made. */
function whoServer(count: { made: number }): McpServer {
  const server = new McpServer({ name: 'who', version: '1.0.0' });
  const number = ++count.made;
  server.registerTool(
    'who',
    { inputSchema: z.object({ speak: z.boolean() }) },
    async (args, ctx) => {
      if (args.speak)
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken: 1, progress: 1 },
        });
      const { name = 'nobody' } = server.server.getClientVersion() ?? {};
      return { content: [{ type: 'text', text: `${name} by ${number}` }] };
    },
  );
  return server;
}

async function start(create: ServerFactory, reuseServers = true): Promise<string> {
  serving = await serve({ create, reuseServers });
  return serving.url;
}

/** Calls the tool as a client of this name. */
async function callAs(url: string, name: string, speak = false): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': 'who',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'who',
        arguments: { speak },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': VERSION,
          'io.modelcontextprotocol/clientInfo': { name, version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  expect(response.headers.get('content-type')).toContain(
    speak ? 'text/event-stream' : 'application/json',
  );
  return /"text":"([^"]*)"/.exec(await response.text())?.[1] ?? '';
}

describe('the server of a stateless request', () => {
  it('serves the next one too, if the program says that it may, and knows the new client', async () => {
    const count = { made: 0 };
    const url = await start(() => whoServer(count));
    expect(await callAs(url, 'ada')).toBe('ada by 1');
    expect(await callAs(url, 'bob', true)).toBe('bob by 1');
    expect(await callAs(url, 'cyd')).toBe('cyd by 1');
  });

  it('serves one at a time', async () => {
    const count = { made: 0 };
    const url = await start(() => whoServer(count));
    const names = Array.from({ length: 20 }, (_, index) => `client ${index}`);
    const answers = await Promise.all(names.map((name) => callAs(url, name, true)));
    expect(answers.map((answer) => answer.replace(/ by \d+$/, ''))).toEqual(names);
  });

  it('serves no other by default', async () => {
    const count = { made: 0 };
    const url = await start(() => whoServer(count), false);
    expect(await callAs(url, 'ada')).toBe('ada by 1');
    expect(await callAs(url, 'bob')).toBe('bob by 2');
  });

  it('serves no other, if it frees something when it closes', async () => {
    const count = { made: 0 };
    let closed = 0;
    const url = await start(() => {
      const server = whoServer(count);
      server.server.onclose = () => closed++;
      return server;
    });
    expect(await callAs(url, 'ada')).toBe('ada by 1');
    expect(await callAs(url, 'bob')).toBe('bob by 2');
    expect(closed).toBe(2);
  });

  it('serves no other, if its client left before it answered', async () => {
    const count = { made: 0 };
    const [begun, aborted] = [deferred(), deferred()];
    const url = await start(() => {
      const server = whoServer(count);
      server.registerTool('wait', {}, async ({ mcpReq: { signal } }) => {
        begun.resolve();
        await once(signal, 'abort');
        aborted.resolve();
        return { content: [] };
      });
      return server;
    });
    const message = toolCall('wait');
    const leave = new AbortController();
    const { signal } = leave;
    const body = JSON.stringify(message);
    const left = fetch(url, { method: 'POST', headers: headersOf(message), body, signal });
    left.catch(() => {});
    await begun.promise;
    leave.abort();
    await aborted.promise;
    expect(await callAs(url, 'ada')).toBe('ada by 2');
    expect(await callAs(url, 'bob')).toBe('bob by 2');
  });
});
