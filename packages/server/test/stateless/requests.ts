import { post, type Answer } from '../fixture.ts';

/** The version of the stateless protocol. */
export const VERSION = '2026-07-28';

/** A message of the stateless protocol. */
export interface StatelessMessage {
  jsonrpc: '2.0';
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** A request that needs no session. */
export function request(
  method: string,
  params: Record<string, unknown> = {},
  id = 1,
): StatelessMessage {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
    progressToken: id,
  };
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } };
}

/** A call of a tool. */
export function toolCall(name: string, args: object = {}, id = 1): StatelessMessage {
  return request('tools/call', { name, arguments: args }, id);
}

/** A subscription to what may change. */
export function listen(notifications: object = { toolsListChanged: true }): StatelessMessage {
  return request('subscriptions/listen', { notifications });
}

/** The headers that repeat what a message says. */
export function headersOf({ method, params }: StatelessMessage): Record<string, string> {
  const name = params['name'] ?? params['uri'];
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
}

/** Posts a message. */
export function ask(
  url: string,
  message: StatelessMessage,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return post(url, message, { ...headersOf(message), ...headers });
}

/** The same, as a request on the wire: for clients that stop reading, or leave. */
export function onTheWire(message: StatelessMessage): string {
  const body = JSON.stringify(message);
  const head = { host: 'localhost', ...headersOf(message), 'content-length': body.length };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  return `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
