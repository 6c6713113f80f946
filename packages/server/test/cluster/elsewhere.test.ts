import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { open } from '../fixture.ts';
import { servingNodes, type ServedNode } from '../support/nodes.ts';

/** Sends each request to the next node. */
function roundRobin(nodes: readonly ServedNode[]): typeof fetch {
  let next = 0;
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    url.host = new URL(nodes[next++ % nodes.length]?.url ?? '').host;
    return fetch(url, init);
  };
}

type Kind =
  | 'SDK 2.x over Streamable HTTP'
  | 'SDK 2.x over SSE'
  | 'SDK 1.x over Streamable HTTP'
  | 'SDK 1.x over SSE';

async function connected(kind: Kind, nodes: readonly ServedNode[]): Promise<Client> {
  const options = { fetch: roundRobin(nodes) };
  const [first] = nodes;
  const target = new URL((kind.endsWith('SSE') ? first?.sseUrl : first?.url) ?? '');
  const identity = [{ name: 'test', version: '0' }, { capabilities: { roots: {} } }] as const;
  const client = kind.startsWith('SDK 1')
    ? (new Client1(...identity) as unknown as Client)
    : new Client(...identity);
  const transport = {
    'SDK 2.x over Streamable HTTP': () => new StreamableHTTPClientTransport(target, options),
    'SDK 2.x over SSE': () => new SSEClientTransport(target, options),
    'SDK 1.x over Streamable HTTP': () => new Http1(target, options as never),
    'SDK 1.x over SSE': () => new Sse1(target, options as never),
  }[kind]();
  await client.connect(transport as never);
  open.push(() => client.close());
  return client;
}

const KINDS: readonly Kind[] = [
  'SDK 2.x over Streamable HTTP',
  'SDK 2.x over SSE',
  'SDK 1.x over Streamable HTTP',
  'SDK 1.x over SSE',
];

describe.each(KINDS)('the client of %s, whose requests go to one node after the other', (kind) => {
  it('lists and calls', async () => {
    const { nodes, cluster } = await servingNodes(['a', 'b', 'c']);
    const client = await connected(kind, nodes);
    for (let round = 0; round < 6; round++) {
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
      const result = await client.callTool({ name: 'echo', arguments: { message: `${round}` } });
      expect(result.content).toEqual([{ type: 'text', text: `${round}` }]);
    }
    expect(nodes.map(({ samples }) => samples.length)).toEqual([1, 0, 0]);
    expect(new Set(cluster.sent.map(({ from }) => from))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('gets progress, and answers what the server asks', async () => {
    const { nodes } = await servingNodes(['a', 'b', 'c']);
    const client = await connected(kind, nodes);
    client.setRequestHandler(
      ...((kind.startsWith('SDK 1')
        ? [(await import('@modelcontextprotocol/sdk/types.js')).ListRootsRequestSchema]
        : ['roots/list']) as ['roots/list']),
      () => ({ roots: [{ uri: 'file:///here' }] }),
    );
    for (let round = 0; round < 3; round++) {
      const asked = await client.callTool({ name: 'ask', arguments: {} });
      expect(asked.content).toEqual([{ type: 'text', text: 'file:///here' }]);
      const progress: number[] = [];
      const counting = client.callTool(
        { name: 'count', arguments: { to: 3 } },
        ...(kind.startsWith('SDK 1') ? [undefined] : ([] as never)),
        {
          onprogress: (told: { progress: number }) => {
            progress.push(told.progress);
            if (told.progress === 3) nodes[0]?.samples[0]?.release();
          },
        },
      );
      await counting;
      expect(progress).toEqual([1, 2, 3]);
    }
  });

  it('cancels', async () => {
    const { nodes } = await servingNodes(['a', 'b']);
    const client = await connected(kind, nodes);
    const ending = new AbortController();
    const calling = client.callTool(
      { name: 'wait', arguments: {} },
      ...(kind.startsWith('SDK 1') ? [undefined] : ([] as never)),
      { signal: ending.signal },
    );
    const failed = expect(calling).rejects.toThrow();
    const signal = await nodes[0]?.samples[0]?.waiting;
    ending.abort();
    await failed;
    if (signal?.aborted === false) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    expect(signal?.aborted).toBe(true);
  });
});
