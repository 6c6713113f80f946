/**
 * A server over stdio, of the official SDK. It does not know who calls, so that every call says it: the
 * first user that a process hears of is the one it belongs to, and whom all its answers name.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

const server = new McpServer(
  { name: 'process', version: '1.0.0' },
  { capabilities: { logging: {}, resources: { subscribe: true } } },
);
/** @type {string | undefined} */
let owner;
/** @param {string} user */
const said = (user) => ({
  content: [
    { type: /** @type {const} */ ('text'), text: owner === user ? user : `${owner} ${user}` },
  ],
});
const inputSchema = { user: z.string() };
const annotations = { readOnlyHint: true };

const who = server.registerTool('who', { inputSchema, annotations }, ({ user }) => {
  own(user);
  return said(user);
});
/** The list of tools is that of the owner, too. @param {string} user */
function own(user) {
  if (owner !== undefined) return;
  owner = user;
  who.update({ description: owner });
}
for (const name of ['own', 'note']) {
  server.registerTool(name, { inputSchema }, ({ user }) => {
    own(user);
    return said(user);
  });
}
server.registerTool('steps', { inputSchema }, async ({ user }, { _meta, sendNotification }) => {
  own(user);
  const { progressToken } = _meta ?? {};
  if (progressToken !== undefined) {
    const params = { progressToken, progress: 1, message: owner };
    await sendNotification({ method: 'notifications/progress', params });
  }
  await server.sendLoggingMessage({ level: 'info', data: owner });
  return said(user);
});
server.registerTool('exit', { inputSchema }, () => process.exit(1));
server.registerResource('mine', 'user://mine', {}, ({ href }) => ({
  contents: [{ uri: href, text: owner ?? '' }],
}));
server.server.setRequestHandler(SubscribeRequestSchema, () => {
  const params = { uri: 'user://mine', _meta: { user: owner } };
  setImmediate(() => void server.server.sendResourceUpdated(params));
  return {};
});
server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
await server.connect(new StdioServerTransport());
