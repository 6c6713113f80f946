import { Server } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { serve } from '../../src/index.ts';
import { deferred, open, opened, post } from '../fixture.ts';

it('a session that wakes subscribes again, to so many resources at most', async () => {
  const slept = deferred();
  const subscribed: string[][] = [];
  const { url, close } = await serve({
    create: () => {
      const server = new Server(
        { name: 'subscribed', version: '1.0.0' },
        { capabilities: { resources: { subscribe: true } } },
      );
      const uris: string[] = [];
      subscribed.push(uris);
      server.setRequestHandler('resources/subscribe', ({ params }) => {
        uris.push(params.uri);
        return {};
      });
      server.onclose = slept.resolve;
      return server;
    },
    hibernate: true,
    hibernateMs: 1_000,
  });
  open.push(close);
  const headers = await opened(url);
  const subscribe = (uri: string, id: number): Promise<unknown> =>
    post(url, { jsonrpc: '2.0', id, method: 'resources/subscribe', params: { uri } }, headers);
  const uris = Array.from({ length: 1_001 }, (_, at) => `sample://${at}`);
  await subscribe(`sample://${'long'.repeat(1_000)}`, 2_000);
  for (const [at, uri] of uris.entries()) await subscribe(uri, at + 1);
  await slept.promise;
  const ping = await post(url, { jsonrpc: '2.0', id: 3_000, method: 'ping' }, headers);
  expect(ping.text).toContain('"result":{}');
  expect(subscribed.map(({ length }) => length)).toEqual([1_002, 1_000]);
  expect(subscribed[1]).toEqual(uris.slice(0, 1_000));
});
