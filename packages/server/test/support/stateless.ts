import { request } from 'undici';
import { messagesIn } from '../attacks/ask.ts';

const VERSION = '2026-07-28';

/** A call of a tool in the stateless protocol, as it is posted. */
export function statelessCall(
  name: string,
  args: object = {},
): { headers: Record<string, string>; body: string } {
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: args,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': VERSION,
          'io.modelcontextprotocol/clientInfo': { name: 'stateless', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  };
}

/** Calls a tool in the stateless protocol; its status and the answer, read. */
export async function callStateless(
  url: string,
  name: string,
  { args = {}, headers = {} }: { args?: object; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Record<string, unknown>; message: Record<string, unknown> }> {
  const { headers: own, body } = statelessCall(name, args);
  const answer = await request(url, { method: 'POST', headers: { ...own, ...headers }, body });
  const { statusCode: status } = answer;
  const text = await answer.body.text();
  const message = messagesIn({ status, headers: answer.headers, text }).at(-1) ?? {};
  return { status, headers: answer.headers, message };
}
