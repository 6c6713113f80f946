/** fastmcp (npm), as its documentation shows. */
import { importPeer } from '../peers.mjs';
import { SERVER_INFO, TOOLS, textOf } from '../tools.mjs';
import { freePort } from './listen.mjs';

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  const { FastMCP } = await importPeer('fastmcp', 'dist/FastMCP.js');
  const server = new FastMCP({ ...SERVER_INFO });
  /** @param {import('../tools.mjs').Tool} tool */
  const toolOf = ({ name, description, inputSchema }) => ({
    name,
    description,
    parameters: inputSchema,
    execute: async (/** @type {Record<string, unknown>} */ args) => textOf(args),
  });
  for (const tool of TOOLS) server.addTool(toolOf(tool));
  const port = await freePort();
  await server.start({
    transportType: 'httpStream',
    httpStream: { host: '127.0.0.1', port, stateless: transport === 'stateless' },
  });
  return {
    url: `http://127.0.0.1:${port}${transport === 'sse' ? '/sse' : '/mcp'}`,
    broadcast: () => {
      for (const session of server.sessions) {
        void session.triggerListChangedNotification('notifications/tools/list_changed');
      }
    },
  };
}
