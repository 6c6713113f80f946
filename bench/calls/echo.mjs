/** What the servers of all benchmarks of calls offer: one tool, which costs next to nothing. */

export const SERVER_INFO = { name: 'bench-server', version: '1.0.0' };

export const TOOLS = [
  {
    name: 'echo',
    description: 'Returns the message that it was given.',
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
    },
    annotations: { readOnlyHint: true },
  },
];

/** The content of the tool's result. @param {{ arguments: { message: string } }} params */
export const echo = (params) => [{ type: 'text', text: params.arguments.message }];

/**
 * What a server with a handshake answers, in all versions of the protocol until 2025-11-25.
 *
 * @param {string} protocolVersion
 * @param {{ id: string | number, method: string, params?: any }} request
 * @returns {object} the JSON-RPC answer
 */
export function answer(protocolVersion, { id, method, params }) {
  switch (method) {
    case 'initialize':
      return {
        jsonrpc: '2.0',
        id,
        result: { protocolVersion, capabilities: { tools: {} }, serverInfo: SERVER_INFO },
      };
    case 'ping':
      return { jsonrpc: '2.0', id, result: {} };
    case 'tools/list':
      return { jsonrpc: '2.0', id, result: { tools: TOOLS } };
    case 'tools/call':
      return { jsonrpc: '2.0', id, result: { content: echo(params) } };
    default:
      return methodNotFound(id);
  }
}

/** @param {string | number} id */
export const methodNotFound = (id) => ({
  jsonrpc: '2.0',
  id,
  error: { code: -32601, message: 'Method not found' },
});
