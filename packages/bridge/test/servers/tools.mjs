// A stdio server made with the SDK: what it is asked for tells its process, fails it, or asks back.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const [journal] = process.argv.slice(2);
const server = new McpServer(
  { name: 'behind', version: '7.0.0', title: 'Behind' },
  { capabilities: { logging: {}, tools: {} }, instructions: 'Be careful.' },
);
const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });

server.registerTool('pid', { annotations: { readOnlyHint: true } }, () => text(process.pid));
server.registerTool('child', {}, () => {
  const child = spawn(
    process.execPath,
    ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6)"],
    {
      stdio: 'ignore',
    },
  );
  return text(child.pid);
});
server.registerTool('note', { inputSchema: z.object({ word: z.string() }) }, ({ word }) => {
  appendFileSync(journal, `${word}\n`);
  return text(word);
});
server.registerTool('ask', {}, async ({ mcpReq }) => {
  const answer = await mcpReq.elicitInput({
    message: 'Your name?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  });
  return text(JSON.stringify(answer));
});
server.registerTool('hang', {}, async ({ mcpReq }) => {
  const { progressToken } = mcpReq._meta ?? {};
  for (const progress of [1, 2, 3]) {
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
  }
  await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve));
  appendFileSync(journal, 'cancelled\n');
  return text('cancelled');
});
// Safe: it may run twice. It ends once the file is there.
server.registerTool('wait', { annotations: { readOnlyHint: true } }, async () => {
  appendFileSync(journal, `waits ${process.pid}\n`);
  while (!existsSync(`${journal}.go`)) await new Promise((resolve) => setTimeout(resolve, 20));
  return text(process.pid);
});
server.registerTool('crash', {}, () => {
  process.stderr.write('a secret of the process\n');
  process.exit(3);
});
await server.connect(new StdioServerTransport());
