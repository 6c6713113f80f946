import { connect } from '@longwire/client';
import { createFaultyProxy } from '@longwire/testing';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf } from '../docs/blocks.ts';
import { lookAround, wholeBut } from '../interop/cluster/support/look-around.ts';
import type { OpenLooking } from '../interop/cluster/support/looking-client.ts';
import { sdk1, sdk2 } from '../interop/cluster/support/official.ts';
import { plain } from '../interop/cluster/support/plain.ts';
import { textOf } from '../interop/kit/support/callers.ts';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { nginxCommand, startNginx } from '../proxies/nginx.ts';
import { countOpenHandles, type OpenHandles } from '../support/open-handles.ts';
import { startCluster, type RunningCluster } from './support/cluster.mjs';
import { whyNoRedis } from './support/redis-server.mjs';

const command = nginxCommand();
const missing = (await whyNoRedis()) ?? (command === undefined ? 'nginx' : undefined);
tellWhatIsMissing({ missing });

const CLIENTS: readonly (readonly [name: string, OpenLooking, ReturnType<typeof wholeBut>])[] = [
  ['the official SDK 1.x over HTTP+SSE', sdk1('sse'), wholeBut()],
  ['the official SDK 1.x over Streamable HTTP', sdk1('http'), wholeBut()],
  ['the official SDK 2.x over 2026-07-28', sdk2('modern'), wholeBut('resume')],
  ['a plain EventSource', plain(EventSource), wholeBut()],
];

describe.skipIf(missing !== undefined)('behind nginx, as the guide configures it', () => {
  let cluster: RunningCluster & AsyncDisposable;
  /** The same, seen through nginx and a line that can be cut. */
  let seen: RunningCluster;
  let before: OpenHandles;
  beforeAll(async () => {
    before = await countOpenHandles();
    // The name by which clients know nginx.
    cluster = await startCluster({ options: { allowedHosts: ['127.0.0.1'] } });
    const nginx = await cluster.keep(startNginx(command ?? '', configured(cluster)));
    const line = await cluster.keep(createFaultyProxy({ target: nginx.origin }));
    const { origin } = line;
    seen = { ...cluster, origin, proxy: { ...cluster.proxy, cut: () => line.cutAll() } };
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await before.expectNoneLeft();
  });

  it.for(CLIENTS)('%s does all that it does through one node', async ([name, open, wanted]) => {
    const report = await lookAround(open, seen, { key: name.replaceAll(' ', '-'), wanted });
    expect(report).toEqual(wanted);
  });

  it('requests go to each node in turn', async () => {
    const upstreams = new Set<string | null>();
    for (const _ of cluster.nodes) {
      const answer = await fetch(`${seen.origin}/healthz`);
      expect(answer.status).toBe(200);
      upstreams.add(answer.headers.get('x-upstream'));
    }
    expect(upstreams.size).toBe(cluster.nodes.length);
  });

  it('a session goes on where its node is killed', async () => {
    await using client = await connect(`${seen.origin}/mcp`, {
      transport: 'streamable-http',
      protocol: '2025-11-25',
    });
    const owner = async (): Promise<string> => textOf(await client.callTool('whoami', {}));
    const first = await owner();
    for (const _ of cluster.nodes) expect(await owner()).toBe(first);
    await cluster.nodes.find(({ name }) => name === first)?.kill();
    const next = await owner();
    expect(next).not.toBe(first);
    expect(await owner()).toBe(next);
  });
});

/** What the two guides say of nginx, in front of these nodes. Answers say where they are from. */
function configured({ nodes }: RunningCluster): string {
  const [upstream, server] = ['docs/cluster.md', 'docs/server.md'].map(
    (page) => blocksOf(page).find(({ language }) => language === 'nginx')?.text ?? '',
  );
  const hosts = nodes.map(({ origin }) => new URL(origin ?? '').host);
  const inner = hosts.reduce((text, host, index) => {
    const written = `server 10.0.0.${index + 1}:3001`;
    expect(text).toContain(written);
    return text.replace(written, `server ${host}`);
  }, upstream ?? '');
  const outer = server
    ?.slice(server.indexOf('server {'))
    .replace('listen 80;', 'listen PORT; add_header x-upstream $upstream_addr always;');
  expect(outer).toContain('listen PORT;');
  return `${inner}\n${outer}`;
}
