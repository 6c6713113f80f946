import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { mcp } from '@longwire/server';
import fastify from 'fastify';
import { page as livePage } from 'longwire/page';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { describeInChromium, goTo, openScreen } from './chromium.ts';

const SECRET = 'what ann asked';
const HOSTILE = '<img src=x onerror=alert(1)>';
const httpCredentials = { username: 'me', password: 'a-password' };

/** A mount with a tool that answers when it is released, and its page for whoever has the password. */
async function serveMount() {
  let release = (): void => undefined;
  const create = (): McpServer => {
    const server = new McpServer({ name: 'notes', version: '1.2.3' });
    const inputSchema = z.object({ text: z.string() });
    server.registerTool('slow', { inputSchema }, async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { content: [{ type: 'text', text: SECRET }] };
    });
    return server;
  };
  const app = fastify({ forceCloseConnections: true });
  const password = `Basic ${Buffer.from('me:a-password').toString('base64')}`;
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/page')) return undefined;
    if (request.headers.authorization === password) return undefined;
    return reply.code(401).header('www-authenticate', 'Basic realm="page"').send();
  });
  await app.register(mcp, {
    prefix: '/api',
    create,
    auth: ({ headers }) => ({ id: String(headers['x-user'] ?? 'operator') }),
    page: livePage({ allow: ({ id }) => id === 'operator' }),
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `${origin}/api/page`,
    release: () => release(),
    connect: async (user: string): Promise<Client> => {
      const client = new Client({ name: 'c', version: '1' });
      const requestInit = { headers: { 'x-user': user } };
      const url = new URL(`${origin}/api/mcp`);
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
      return client;
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

describeInChromium('the page of a mount', () => {
  it('shows who calls what while it happens, without values, and nothing to call it with', async () => {
    await using mount = await serveMount();
    await using screen = await openScreen(mount.url, { httpCredentials });
    const { page } = screen;
    await page.getByText('● live').waitFor();
    const card = page.getByRole('article', { name: 'Server api' });
    await card.getByText('nobody yet').waitFor();

    const clients = [await mount.connect('ann'), await mount.connect(HOSTILE)];
    await clients[1]?.listTools();
    await card.getByText('notes 1.2.3').waitFor();
    await card.getByText('streamable-http 2025-11-25 2').waitFor();
    await card.getByText(HOSTILE).waitFor();
    const calling = clients[0]?.callTool({ name: 'slow', arguments: { text: SECRET } });

    // By whom: a link filters all views.
    await card.getByRole('link', { name: /^ann/ }).click();
    await page.getByText('1 call in flight').waitFor();
    expect(await page.getByRole('button', { name: /^Cancel/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'slow' }).click();
    const panel = page.locator('.panel');
    await panel.getByText('by ann').waitFor();
    mount.release();
    await calling;
    await panel.getByText('It ran, and this is its result.').waitFor();
    expect(await panel.getByText('not kept: this page shows no values').count()).toBe(2);

    await goTo(page, 'tools', 'api', 'slow');
    await page.getByText('nothing can be called from it').waitFor();
    expect(await page.getByRole('button', { name: /^Run|List anew/ }).count()).toBe(0);
    expect(await page.content()).not.toContain(SECRET);
    for (const client of clients) await client.close();
  });

  it('is not opened without the password, and says when its server has stopped', async () => {
    const mount = await serveMount();
    try {
      const answer = await fetch(mount.url);
      expect(answer.status).toBe(401);
      await using screen = await openScreen(mount.url, { httpCredentials });
      await screen.page.getByText('● live').waitFor();
      await mount[Symbol.asyncDispose]();
      await screen.page.getByText('Not live.').waitFor();
      // What was said last is shown, too.
      await screen.page.getByRole('article').getByText('closed').waitFor();
    } finally {
      await mount[Symbol.asyncDispose]();
    }
  });
});
