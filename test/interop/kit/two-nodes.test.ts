import { connect, type ClientOptions, type LongwireClient } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { until } from '../../support/until.ts';
import { textOf } from './support/callers.ts';
import { serveKit, type KitServing } from './support/serve-kit.ts';
import { startSwitchingProxy, type SwitchingProxy } from './support/switching-proxy.ts';

expectNothingLeftOpen();

const TRANSPORTS: readonly (readonly [string, string, ClientOptions])[] = [
  ['Streamable HTTP', '/mcp', { transport: 'streamable-http', protocol: '2025-11-25' }],
  ['HTTP+SSE', '/sse', { transport: 'sse' }],
];

const READS = ['r1', 'r2', 'r3', 'r4'];

interface Calls {
  readonly reads: Promise<string>[];
  readonly write: Promise<string>;
}

/** Starts five calls that do not end, in one session of the first node. */
async function inFlight(client: LongwireClient, node: KitServing): Promise<Calls> {
  // So the client learns which tools only read.
  await client.listTools();
  node.hold();
  const call = async (name: string, key: string): Promise<string> =>
    textOf(await client.callTool(name, { key }));
  const reads = READS.map((key) => call('read', key));
  const write = call('write', 'w');
  write.catch(() => {});
  await until(() => expect(node.runs).toHaveLength(5));
  return { reads, write };
}

/** Another call, which the other node gets: it does not know the session. */
async function callOnTheOther(
  client: LongwireClient,
  proxy: SwitchingProxy,
  other: KitServing,
): Promise<void> {
  proxy.switchTo(other.origin);
  expect(textOf(await client.callTool('write', { key: 'new' }))).toBe('write: new');
  expect(other.runs).toEqual(['new']);
}

describe.for(TRANSPORTS)('behind a proxy that leads to another node, %s', ([, path, options]) => {
  it('the calls that the first node runs get their answers from it, and run once', async () => {
    await using first = await serveKit();
    await using second = await serveKit();
    await using proxy = await startSwitchingProxy(first.origin);
    await using client = await connect(proxy.origin + path, options);
    const { reads, write } = await inFlight(client, first);
    await callOnTheOther(client, proxy, second);
    first.release();
    expect(await write).toBe('write: w');
    expect(await Promise.all(reads)).toEqual(READS.map((key) => `read: ${key}`));
    expect(first.runs.toSorted()).toEqual([...READS, 'w']);
    expect(second.runs).toEqual(['new']);
  });

  it('they are lost with their streams: the safe ones run on the second node', async () => {
    await using first = await serveKit();
    await using second = await serveKit();
    await using proxy = await startSwitchingProxy(first.origin);
    await using client = await connect(proxy.origin + path, options);
    const { reads, write } = await inFlight(client, first);
    await callOnTheOther(client, proxy, second);
    proxy.cut();
    await expect(write).rejects.toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(await Promise.all(reads)).toEqual(READS.map((key) => `read: ${key}`));
    expect(second.runs.toSorted()).toEqual(['new', ...READS]);
    first.release();
  });
});
