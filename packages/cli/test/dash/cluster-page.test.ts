import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { redis } from '@longwire/cluster';
import {
  serve,
  type Cluster,
  type ClusterNode,
  type NodeMessage,
  type Serving,
} from '@longwire/server';
import { parseRecording, type Picture } from '@longwire/recording';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { page } from '../../src/page.ts';
import { OpenPage } from './page.ts';

let store: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  store = await startRedis();
});
afterAll(async () => {
  await store.stop();
});

expectNothingLeftOpen();

let closing: (() => Promise<unknown>)[];
let clusters = 0;
let releases: (() => void)[];
beforeEach(() => {
  closing = [];
  releases = [];
  clusters++;
});
afterEach(async () => {
  for (const release of releases) release();
  for (const close of closing.reverse()) await close();
});

function create(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.2.3' });
  server.registerTool('keep', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
    content: [{ type: 'text', text: `kept: ${text}` }],
  }));
  server.registerTool('slow', {}, async () => {
    await new Promise<void>((resolve) => releases.push(resolve));
    return { content: [] };
  });
  return server;
}

/** A node that tells what it sends to other pages. */
interface ServedNode {
  readonly serving: Serving;
  readonly node: ClusterNode;
  /** What it is called on pages. */
  readonly server: string;
  readonly page: OpenPage;
  /** The kinds of what it has sent to other pages. */
  readonly sent: string[];
}

async function served(values = false): Promise<ServedNode> {
  const joined = redis(store.url, { prefix: `page-${clusters}:` });
  const sent: string[] = [];
  let node: ClusterNode | undefined;
  const cluster: Cluster = {
    join: async (joining) => {
      node = await joined.join(joining);
      const send = node.send.bind(node);
      node.send = (to, message) => {
        const { body } = message as NodeMessage & { readonly body: { readonly kind: string } };
        if (message.kind === 'page') sent.push(body.kind);
        return send(to, message);
      };
      return node;
    },
  };
  const serving = await serve({
    create,
    cluster,
    page: page({ allow: () => true, values }),
    stop: { delayMs: 0, graceMs: 0 },
  });
  closing.push(() => serving.close());
  if (node === undefined) throw new Error('it has not joined');
  return {
    serving,
    node,
    sent,
    server: `server@${node.name}`,
    page: new OpenPage(serving.url.replace(/\/mcp$/, '/page')),
  };
}

async function connected({ serving }: ServedNode): Promise<Client> {
  const client = new Client(
    { name: 'c', version: '1' },
    { versionNegotiation: { mode: 'legacy' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(serving.url)));
  closing.push(() => client.close());
  return client;
}

function keep(client: Client, text: string): Promise<unknown> {
  return client.callTool({ name: 'keep', arguments: { text } });
}

/** The calls of a tool on a node, as a page shows them. */
function callsOf({ inFlight, ended }: Picture, { server }: ServedNode, tool: string) {
  return [...ended, ...inFlight].filter((call) => call.server === server && call.name === tool);
}

function sessionsOf({ servers }: Picture, { server }: ServedNode): number | undefined {
  return servers.get(server)?.sessions?.reduce((sum, { count }) => sum + count, 0);
}

describe('the page of one node', () => {
  it('shows the sessions and calls of all, from before and from now on', async () => {
    const [one, other] = [await served(), await served()];
    const [near, far] = [await connected(one), await connected(other)];
    await keep(far, 'before');
    const slow = far.callTool({ name: 'slow' });
    await until(() => expect(releases).toHaveLength(1));

    await using followed = await one.page.follow();
    await followed.until((picture) => callsOf(picture, other, 'slow').length > 0);
    expect(callsOf(followed.picture, other, 'keep')).toMatchObject([
      { by: { who: 'anonymous' }, end: { outcome: 'result' } },
    ]);
    await keep(far, 'now');
    await keep(near, 'here');
    releases[0]?.();
    await slow;
    await followed.until((picture) => callsOf(picture, other, 'slow')[0]?.end);
    await followed.until((picture) => callsOf(picture, other, 'keep').length === 2);
    await followed.until((picture) => callsOf(picture, one, 'keep').length === 1);
    await followed.until((picture) => sessionsOf(picture, one) === 1);
    await followed.until((picture) => sessionsOf(picture, other) === 1);
    const { servers, ended, inFlight } = followed.picture;
    expect([...servers.keys()].sort()).toEqual([one.server, other.server].sort());
    expect(servers.get(other.server)).toMatchObject({
      inFlight: 0,
      known: { info: { name: 'notes' }, target: '/mcp' },
    });
    // No two calls are the same one.
    const numbers = [...ended, ...inFlight].map(({ call }) => call);
    expect(new Set(numbers).size).toBe(numbers.length);
    // A recording is of the node that is asked, and can be read.
    const { lines, skipped } = parseRecording((await one.page.get('/api/recording')).body);
    expect(skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
    expect(JSON.stringify(lines)).not.toContain(other.server);
  });

  it('shows a call through another node where it ran, and once', async () => {
    const [one, other] = [await served(), await served()];
    const client = await connected(other);
    await using followed = await one.page.follow();
    await followed.until((picture) => sessionsOf(picture, other) === 1);
    const sessionId = (client.transport as StreamableHTTPClientTransport).sessionId ?? '';
    const there = new Client(
      { name: 'c', version: '1' },
      { versionNegotiation: { mode: 'legacy' } },
    );
    await there.connect(new StreamableHTTPClientTransport(new URL(one.serving.url), { sessionId }));
    closing.push(() => there.close());
    await keep(there, 'through one');
    await followed.until((picture) => callsOf(picture, other, 'keep')[0]?.end);
    expect(callsOf(followed.picture, one, 'keep')).toEqual([]);
    expect(callsOf(followed.picture, other, 'keep')).toHaveLength(1);
  });

  it('has whole values of other nodes for whoever asks, where values are kept', async () => {
    const [one, other] = [await served(true), await served(true)];
    const client = await connected(other);
    await using followed = await one.page.follow();
    const text = 'x'.repeat(5000);
    await keep(client, text);
    await followed.until((picture) => callsOf(picture, other, 'keep')[0]?.end);
    const [call] = callsOf(followed.picture, other, 'keep');
    expect(JSON.stringify(call)).not.toContain(text);
    const whole = JSON.parse((await one.page.get(`/api/calls/${call?.call}`)).body) as object;
    expect(whole).toMatchObject({
      call: call?.call,
      arguments: { text },
      end: { result: { content: [{ text: `kept: ${text}` }] } },
    });
  });

  it('has no values where none are kept', async () => {
    const [one, other] = [await served(), await served()];
    const client = await connected(other);
    await using followed = await one.page.follow();
    await keep(client, 'a secret');
    await followed.until((picture) => callsOf(picture, other, 'keep')[0]?.end);
    expect(JSON.stringify(followed.tap.events)).not.toContain('a secret');
  });

  it('shows that a node is gone, with its sessions; what became of its calls is not known', async () => {
    const [one, other] = [await served(), await served()];
    const client = await connected(other);
    await using followed = await one.page.follow();
    const ending = new AbortController();
    const slow = client.callTool({ name: 'slow' }, { signal: ending.signal });
    slow.catch(() => undefined);
    await followed.until((picture) => callsOf(picture, other, 'slow').length > 0);
    // Its page says nothing any more, as after a crash.
    other.node.send = async () => true;
    await other.node.leave();
    await followed.until((picture) => callsOf(picture, other, 'slow')[0]?.end);
    expect(callsOf(followed.picture, other, 'slow')).toMatchObject([
      { end: { outcome: 'error', error: { code: 'node-gone', certainty: 'outcome-unknown' } } },
    ]);
    await followed.until((picture) => sessionsOf(picture, other) === 0);
    await until(() => expect(followed.stateOf(other.server)).toBe('closed'));
    ending.abort();
    await expect(slow).rejects.toThrow();
  });

  it('shows a node that joins while somebody looks, and one that stops in order', async () => {
    const one = await served();
    await using followed = await one.page.follow();
    const other = await served();
    await followed.until(({ servers }) => servers.has(other.server));
    expect(followed.stateOf(other.server)).toBe('ready');
    await other.serving.stop();
    await until(() => expect(followed.stateOf(other.server)).toBe('closed'));
    expect(followed.stateOf(one.server)).toBe('ready');
  });

  it('asks nothing of others until somebody looks', async () => {
    const [one, other] = [await served(), await served()];
    const client = await connected(other);
    await keep(client, 'unseen');
    expect([one.sent, other.sent]).toEqual([[], []]);
    await using followed = await one.page.follow();
    await followed.until((picture) => callsOf(picture, other, 'keep').length > 0);
    expect(one.sent).toContain('look');
    expect(other.sent).toContain('picture');
  });
});
