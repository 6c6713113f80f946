// The SDK's own server over stdin and stdout, of protocol 2026-07-28 and no other.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

export function createServer() {
  const server = new McpServer({ name: 'modern', version: '1' });
  server.registerTool('greet', { description: 'Greets' }, () => ({
    content: [{ type: 'text', text: 'hello from 2026' }],
  }));
  return server;
}

if (process.argv[1] === import.meta.filename) serveStdio(createServer, { legacy: 'reject' });
