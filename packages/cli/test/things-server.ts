import { McpServer, ProtocolError, ResourceTemplate } from '@modelcontextprotocol/server';
import { serve, type Serving } from '@longwire/server';
import * as z from 'zod';

/** A picture of one pixel. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Text that no terminal should get as it is, with line ends of two kinds. */
export const RAW = 'one\r\ntwo \u001b[31mred\u001b[0m\nthree';

/** A server with resources of every kind, a template and a prompt; each says what it was asked. */
export function serveThings(): Promise<Serving> {
  return serve({ create: createThingsServer });
}

function createThingsServer(): McpServer {
  const server = new McpServer({ name: 'things', version: '1' });
  const contents: Record<string, object[]> = {
    'things://raw': [{ text: RAW }],
    'things://none': [],
    'things://pixel.png': [{ blob: PIXEL, mimeType: 'image/png' }],
    'things://odd-blob': [{ blob: 'no Base64 at all \u001b[31m!', mimeType: 'image/png' }],
    'things://both': [{ text: 'first' }, { blob: PIXEL, mimeType: 'image/png' }],
    'things://large': [{ text: `${'x'.repeat(999)}\n`.repeat(50 * 1024) }],
  };
  const nothing = (): { contents: [] } => ({ contents: [] });
  for (const uri of Object.keys(contents)) {
    server.registerResource(uri.replace('things://', ''), uri, {}, nothing);
  }
  const template = new ResourceTemplate('user://{id}/profile{?lang,full}', { list: undefined });
  server.registerResource('profile', template, {}, nothing);
  // The SDK finds no template whose query is left out.
  server.server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const parts = uri.startsWith('user:') ? [{ text: `profile at ${uri}` }] : contents[uri];
    if (parts === undefined) throw new ProtocolError(-32002, `Resource not found: ${uri}`);
    return { contents: parts.map((part) => ({ uri, ...part }) as { uri: string; text: string }) };
  });
  const argsSchema = z.object({ code: z.string(), style: z.string().optional() });
  server.registerPrompt('review', { argsSchema }, ({ code, style = 'short' }) => ({
    messages: [
      { role: 'user', content: { type: 'text', text: `Review, ${style}: ${code}` } },
      { role: 'assistant', content: { type: 'image', data: PIXEL, mimeType: 'image/png' } },
    ],
  }));
  return server;
}
