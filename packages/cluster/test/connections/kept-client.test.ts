import { Redis } from 'ioredis';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { KeptClient } from '../../src/connections/kept-client.ts';
import { openClient, type Client } from '../../src/connections/open-client.ts';
import { resolveRedisOptions } from '../../src/options.ts';

const NOT_TAKEN = 'Redis closed a new connection: it may have too many clients (maxclients)';

interface Kept {
  readonly kept: KeptClient;
  readonly failures: readonly string[];
  readonly ready: Promise<Client>;
}

function keep(url: string): Kept {
  const address = { urls: [url], options: resolveRedisOptions({}), isCluster: false };
  const failures: string[] = [];
  let kept: KeptClient | undefined;
  const ready = new Promise<Client>((resolve) => {
    const failed = ({ message }: Error): void => void failures.push(message);
    kept = new KeptClient(() => openClient(address), { ready: resolve, failed });
  });
  return { kept: kept as KeptClient, failures, ready };
}

const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

it('that is closed, or made anew, where its connection has ended keeps no process alive', async () => {
  await using server = await startRedis();
  const address = { urls: [server.url], options: resolveRedisOptions({}), isCluster: false };
  const made: Client[] = [];
  const open = (): Client => {
    const client = openClient(address);
    made.push(client);
    return client;
  };
  const kept = new KeptClient(open, { ready: () => {} });
  const [client] = made as [Client];
  await once(client, 'ready');
  const ended = once(client, 'end');
  await server.kill();
  await ended;
  const before = timers();
  kept.renew(client);
  expect(timers()).toBe(before);
  kept.close();
  // The one that was to make the next.
  expect(timers()).toBe(before - 1);
});

describe('that is closed without a word', () => {
  it('before it can be used: says so', async () => {
    const closing = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void closing.close());
    await once(closing, 'listening');
    const { port } = closing.address() as AddressInfo;
    const { kept, failures } = keep(`redis://127.0.0.1:${port}`);
    await expect.poll(() => failures).toContain(NOT_TAKEN);
    kept.close();
  });

  it('in use: says so, once', async () => {
    await using server = await startRedis();
    const { kept, failures, ready } = keep(server.url);
    await ready;
    const other = new Redis(server.url);
    onTestFinished(() => other.disconnect());
    await other.call('CLIENT', 'KILL', 'SKIPME', 'yes', 'TYPE', 'normal');
    await expect.poll(() => failures).toEqual(['Redis closed the connection']);
    kept.close();
  });

  it.each(['close', 'renew'] as const)('by %s: says nothing', async (how) => {
    await using server = await startRedis();
    const { kept, failures, ready } = keep(server.url);
    const client = await ready;
    const ended = once(client, 'end');
    kept[how](client);
    await ended;
    expect(failures).toEqual([]);
    kept.close();
  });
});
