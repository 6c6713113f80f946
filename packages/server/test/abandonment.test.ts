import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { startSwallowingProxy } from '../../../test/load/swallowing-proxy.mjs';
import { until } from '../../../test/support/until.ts';
import { serve } from '../src/index.ts';
import { ask, INITIALIZE } from './attacks/ask.ts';
import { open } from './fixture.ts';

/** How many clients vanish in each way. The program `npm run load` does it with ten thousand. */
const EACH = 50;

const inputSchema = z.object({ text: z.string() });

/** Opens a stream, whose session its client initializes. */
async function openSession(origin: string): Promise<IncomingMessage> {
  const opened = get(`${origin}/sse`, { agent: false });
  opened.on('error', () => {});
  const [response] = (await once(opened, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  response.setEncoding('utf8');
  let text = '';
  while (!/^data: (.+)$/m.test(text)) text += String((await once(response, 'data'))[0]);
  const [, endpoint = ''] = /^data: (.+)$/m.exec(text) ?? [];
  await ask(new URL(endpoint, origin).href, { body: INITIALIZE });
  open.push(async () => response.destroy());
  return response;
}

it('sessions whose clients vanish without a word are gone after the limit, with all they hold', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  /** Not held by this test: what is left of it is held by the kit. */
  const servers: WeakRef<McpServer>[] = [];
  let running = 0;
  const serving = await serve({
    create: () => {
      const server = new McpServer({ name: 'abandoned', version: '1.0.0' });
      server.registerTool('echo', { inputSchema }, ({ text }) => ({
        content: [{ type: 'text', text }],
      }));
      running += 1;
      server.server.onclose = () => (running -= 1);
      servers.push(new WeakRef(server));
      return server;
    },
    maxSessionsPerAddress: Infinity,
    heartbeatMs: 50,
    resumeMs: 200,
    sessionIdleMs: 2_000,
  });
  open.push(() => serving.close());
  const { origin } = new URL(serving.url);
  const proxy = await startSwallowingProxy(origin);
  open.push(() => proxy.close());

  for (let count = 0; count < EACH; count++) {
    const reset = await openSession(origin);
    reset.socket.resetAndDestroy();
    const silent = await openSession(origin);
    silent.pause();
    silent.socket.pause();
    await ask(serving.url, { body: INITIALIZE });
  }
  const halfOpen = await Promise.all(
    Array.from({ length: EACH }, () => openSession(new URL(proxy.url).origin)),
  );
  expect(servers).toHaveLength(4 * EACH);
  proxy.swallow();
  for (const response of halfOpen) response.socket.destroy();

  await until(() => running === 0);
  await until(() => {
    gc();
    return servers.every((server) => server.deref() === undefined);
  });
});
