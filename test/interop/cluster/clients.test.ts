import type { ClientOptions } from '@longwire/client';
import { EventSource as NpmEventSource } from 'eventsource';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { EventSource as UndiciEventSource } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type RunningCluster } from '../../cluster/support/cluster.mjs';
import { whyNoRedis } from '../../cluster/support/redis-server.mjs';
import { countOpenHandles, type OpenHandles } from '../../support/open-handles.ts';
import { interpreterOf, preparePython } from '../../support/python-servers.ts';
import { until } from '../../support/until.ts';
import { QUIET } from '../kit/support/run-client.ts';
import { directoryOf, tellWhatIsMissing } from '../support/missing.ts';
import { aiSdk } from './support/ai-sdk.ts';
import { did, lookAround, wholeBut, type ClusterReport } from './support/look-around.ts';
import type { OpenLooking } from './support/looking-client.ts';
import { longwire } from './support/longwire.ts';
import { sdk1, sdk2 } from './support/official.ts';
import { clusterClientsPage, type Row } from './support/page.ts';
import { plain } from './support/plain.ts';

const missing = await whyNoRedis();
const python = await preparePython();
tellWhatIsMissing({ missing });
tellWhatIsMissing(python);

const SSE = 'HTTP+SSE';
const HTTP = 'Streamable HTTP';
const MODERN = '2026-07-28';
const TOOL_EVENTS = 'tool-events';
const OURS: ClientOptions = { transport: 'streamable-http', protocol: '2025-11-25' };

/** What a client has no way for. */
type Not = readonly (keyof ClusterReport)[];
/** It has no sessions, so nothing that is resumed. */
const NO_SESSION: Not = ['resume'];
const SHOWS_NOTHING: Not = ['progress', 'sampling', 'subscription', 'resume'];
const NO_NOTIFICATIONS: Not = [...SHOWS_NOTHING, 'cancellation'];
const ONLY_CALLS: Not = [...NO_NOTIFICATIONS, 'elicitation'];

const CLIENTS: readonly (readonly [name: string, transport: string, OpenLooking, Not])[] = [
  [of('@modelcontextprotocol/sdk'), SSE, sdk1('sse'), []],
  [of('@modelcontextprotocol/sdk'), HTTP, sdk1('http'), []],
  [of('@modelcontextprotocol/client'), SSE, sdk2('sse'), []],
  [of('@modelcontextprotocol/client'), HTTP, sdk2('http'), []],
  [of('@modelcontextprotocol/client'), MODERN, sdk2('modern'), NO_SESSION],
  [of('@ai-sdk/mcp'), SSE, aiSdk('sse'), NO_NOTIFICATIONS],
  [of('@ai-sdk/mcp'), HTTP, aiSdk('http'), NO_NOTIFICATIONS],
  [of('@ai-sdk/mcp'), MODERN, aiSdk('modern'), SHOWS_NOTHING],
  [`a plain EventSource of ${of('eventsource')}`, SSE, plain(NpmEventSource), []],
  [`a plain EventSource of ${of('undici')}`, SSE, plain(UndiciEventSource), []],
  ['Longwire', SSE, longwire('/sse', { transport: 'sse' }), []],
  ['Longwire', HTTP, longwire('/mcp', OURS), []],
  ['Longwire', MODERN, longwire('/mcp', { ...OURS, protocol: MODERN }), NO_SESSION],
  ['Longwire', TOOL_EVENTS, longwire('/sse', { transport: 'tool-events' }), ONLY_CALLS],
];

/** In Python, by a program of its own. */
const IN_PYTHON = [
  ['sse', 'legacy', SSE, ['resume']],
  ['http', 'legacy', HTTP, []],
  ['http', 'auto', MODERN, NO_SESSION],
] as const;

let cluster: RunningCluster & AsyncDisposable;
let before: OpenHandles;
const rows: Row[] = [];

/** Keeps what a client did for the page. */
async function looked(
  [client, transport]: readonly [string, string],
  look: () => Promise<ClusterReport>,
): Promise<ClusterReport> {
  const from = cluster.proxy.passed.length;
  const report = await look();
  const passed = cluster.proxy.passed.slice(from);
  // Nobody has fallen back to another version. (A call by tool-events has its session in its body.)
  const showsSession = transport !== MODERN && transport !== TOOL_EVENTS;
  expect(passed.some(({ session }) => session !== '')).toBe(showsSession);
  const nodes = new Set(passed.map(({ node }) => node)).size;
  rows.push({ client, transport, report, nodes });
  return report;
}

describe.skipIf(missing !== undefined)('through three nodes in turn', () => {
  beforeAll(async () => {
    before = await countOpenHandles();
    cluster = await startCluster();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await before.expectNoneLeft();
  });

  it.for(CLIENTS)('%s over %s', async ([client, transport, open, not]) => {
    const wanted = wholeBut(...not);
    const key = `${client}-${transport}`.replaceAll(' ', '-');
    const report = await looked([client, transport], () =>
      lookAround(open, cluster, { key, wanted }),
    );
    expect(report).toEqual(wanted);
    expect(rows.at(-1)?.nodes).toBe(cluster.nodes.length);
  });

  it.skipIf('missing' in python).for(IN_PYTHON)(
    'the official client in Python over %s, %s',
    async ([transport, mode, title, not]) => {
      const key = `python-${transport}-${mode}`;
      const report = await looked(['`mcp` in Python', title], () =>
        lookInPython([transport, mode, transport === 'sse' ? cluster.sseUrl : cluster.url, key]),
      );
      await until(() => expect(did(cluster, key)).toEqual(['begins', 'cancelled']));
      if (report.resume !== undefined) {
        expect(did(cluster, `${key}-cut`)).toEqual(['begins', 'ends']);
        report.resume = report.resume.replace(`${key}-`, '');
      }
      report.cancellation = true;
      expect(report).toEqual(wholeBut(...not));
    },
  );

  it('posts that go out with the very event that says where to are taken, on any node', async () => {
    const open = plain(NpmEventSource);
    const opening = Array.from({ length: 50 }, () => open(cluster.origin));
    const clients = await Promise.all(opening);
    const texts = await Promise.all(
      clients.map((client, index) => client.call('echo', { message: String(index) })),
    );
    for (const client of clients) await client[Symbol.asyncDispose]();
    expect(texts).toEqual(clients.map((_, index) => `Echo: ${index}`));
  });

  it.skipIf('missing' in python)('the page has what was run', async () => {
    const page = fileURLToPath(new URL('../../../docs/cluster/clients.md', import.meta.url));
    const config = await prettier.resolveConfig(page);
    const text = await prettier.format(clusterClientsPage(rows), { ...config, parser: 'markdown' });
    await expect(text).toMatchFileSnapshot(page);
  });
});

async function lookInPython(args: readonly string[]): Promise<ClusterReport> {
  const script = fileURLToPath(new URL('clients/look.py', import.meta.url));
  const child = spawn(interpreterOf(directoryOf(python)), [script, ...args], {
    env: QUIET,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close');
  try {
    let begun = 0;
    let last = '';
    for await (const line of createInterface(child.stdout)) {
      last = line;
      // The first call is left by the client itself; the second is cut here.
      if (line === 'begun' && ++begun === 2) cluster.proxy.cut();
    }
    const [code] = (await ended) as [number];
    expect(code, errors).toBe(0);
    return JSON.parse(last) as ClusterReport;
  } finally {
    child.kill('SIGKILL');
  }
}

/** A package with its version. */
function of(name: string): string {
  const manifest = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return `\`${name}\` ${version}`;
}
