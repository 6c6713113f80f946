/** mcp-use (npm), as its documentation shows. What it serves at `/sse` is Streamable HTTP, too. */
import { importPeer } from '../peers.mjs';
import { SERVER_INFO, TOOLS, resultOf } from '../tools.mjs';
import { freePort } from './listen.mjs';

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  process.env['HOST'] = '127.0.0.1';
  process.env['MCP_USE_ANONYMIZED_TELEMETRY'] = 'false';
  const { MCPServer } = await importPeer('mcp-use', 'dist/src/server/index.js');
  const server = new MCPServer({ ...SERVER_INFO, stateless: transport === 'stateless' });
  for (const { name, description, inputSchema } of TOOLS) {
    server.tool(
      { name, description, schema: inputSchema },
      async (/** @type {Record<string, unknown>} */ args) => resultOf(args),
    );
  }
  const port = await freePort();
  await server.listen(port);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    broadcast: () => server.sendNotification('notifications/tools/list_changed'),
  };
}
