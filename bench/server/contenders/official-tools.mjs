import { resultOf, TOOLS } from '../tools.mjs';

/**
 * Registers the ten tools at a server of the official SDK, of 1.x or 2.x.
 *
 * @template {{ registerTool(name: string, config: any, call: any): unknown }} Server
 * @param {Server} server
 * @returns {Server}
 */
export function withTools(server) {
  for (const { name, description, inputSchema } of TOOLS) {
    server.registerTool(name, { description, inputSchema }, resultOf);
  }
  return server;
}
