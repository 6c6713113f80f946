// A server of protocol 2026-07-28 and no other, with a resource, a template and a prompt.
import { completable, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

function createServer() {
  const server = new McpServer(
    { name: 'modern-things', version: '1' },
    { capabilities: { resources: { subscribe: true } } },
  );
  const read = ({ href }) => ({ contents: [{ uri: href, text: `${href} is read` }] });
  server.registerResource('note', 'note://one', {}, read);
  const complete = { id: (begun) => ['seven', 'six', 'two'].filter((id) => id.startsWith(begun)) };
  const template = new ResourceTemplate('user://{id}', { list: undefined, complete });
  server.registerResource('user', template, {}, read);
  const tone = completable(z.string(), (begun) =>
    ['dry', 'dull'].filter((t) => t.startsWith(begun)),
  );
  server.registerPrompt('brief', { argsSchema: z.object({ tone }) }, ({ tone: asked }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Be ${asked}.` } }],
  }));
  return server;
}

serveStdio(createServer, { legacy: 'reject' });
