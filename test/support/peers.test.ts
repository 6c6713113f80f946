import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { type Peer, startEverything, startMcpProxy, startSupergateway } from './peers.ts';
import { descendantsOf, isRunning } from './process-tree.ts';

const peers: [name: string, start: () => Promise<Peer>, children: number][] = [
  ['server-everything, sse', () => startEverything({ mode: 'sse' }), 0],
  ['server-everything, streamableHttp', () => startEverything({ mode: 'streamableHttp' }), 0],
  ['supergateway', startSupergateway, 1],
  ['mcp-proxy', startMcpProxy, 1],
];

test.for(peers)(
  '%s serves its tools on 127.0.0.1 and stops completely',
  async ([, start, children]) => {
    const peer = await start();
    const tree = [peer.pid, ...descendantsOf(peer.pid)];
    try {
      expect(tree.length).toBeGreaterThan(children);
      expect(await otherAddressesOf(Number(new URL(peer.url).port))).toEqual([]);

      const client = new Client({ name: 'self-test', version: '0' });
      const url = new URL(peer.url);
      await client.connect(
        url.pathname === '/mcp'
          ? new StreamableHTTPClientTransport(url)
          : new SSEClientTransport(url),
      );
      const result = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
      expect(result.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
      await client.close();
    } finally {
      await peer.stop();
    }
    expect(tree.filter(isRunning)).toEqual([]);
  },
);

/** The addresses of this machine, other than 127.0.0.1, on which something listens on that port. */
async function otherAddressesOf(port: number): Promise<string[]> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address }) => address !== '127.0.0.1' && !address.startsWith('fe80'));
  const open = addresses.map(({ address }) =>
    isOpen(port, address).then((yes) => (yes ? [address] : [])),
  );
  return (await Promise.all(open)).flat();
}

function isOpen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
