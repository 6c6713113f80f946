import { expect, it } from 'vitest';
import { apiKeys, hashApiKey, type McpMount } from '../../src/index.ts';
import { open, post, serving, stream } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { headersOf, listen } from '../stateless/requests.ts';

const KEYS = { ada: 'k-4f1c9d2e7a60b8355c1d', bob: 'k-aa10c3f2d98e47b6605f' };

it('a revoked key has nothing open any more, and other keys of its principal keep what they have', async () => {
  const auth = apiKeys({
    keys: Object.values(KEYS).map((key) => ({ principal: 'team', sha256: hashApiKey(key) })),
  });
  let mount: McpMount | undefined;
  const { url, mcpUrl } = await serving({ auth, onMount: (it) => (mount = it) });
  const streams = { ada: [] as RawStream[], bob: [] as RawStream[] };
  for (const who of ['ada', 'bob'] as const) {
    const key = { 'x-api-key': KEYS[who] };
    const session = await stream(url, key);
    await session.nextOf('endpoint');
    const message = listen();
    const listening = await RawStream.post(mcpUrl, message, { ...headersOf(message), ...key });
    open.push(() => listening[Symbol.asyncDispose]());
    await listening.nextOf('message');
    streams[who].push(session, listening);
  }
  await auth.revoke(hashApiKey(KEYS.ada));
  // The stream of the session ends in order, the subscription is cut.
  for (const ended of streams.ada) {
    expect(await ended.next().catch(() => undefined)).toBeUndefined();
  }
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  expect((await post(mcpUrl, ping, { 'x-api-key': KEYS.ada })).status).toBe(401);
  mount?.notify.toolsChanged();
  for (const kept of streams.bob) {
    expect(await kept.nextOf('message')).toContain('notifications/tools/list_changed');
  }
});
