import type { RawClientDispatch } from '@modelcontextprotocol/ext-tasks/client';

export const MODERN = '2026-07-28';

/** The official client does not let results through that are tasks: they are requested beside it. */
export function dispatchTo(url: string, headers: Record<string, string>): RawClientDispatch {
  let id = 0;
  return async (request, { signal } = {}) => {
    const { method, params } = request as { method: string; params: Record<string, unknown> };
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': MODERN,
        'mcp-method': method,
        'mcp-name': String(params['name'] ?? params['taskId']),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: `raw-${++id}`, method, params }),
      ...(signal && { signal }),
    });
    const messages = (await response.text())
      .split('\n')
      .map((line) => line.replace(/^data: /, ''))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { id?: string; result?: never; error?: never });
    const answer = messages.find((message) => message.id === `raw-${id}`) ?? messages[0];
    if (answer?.error !== undefined) return { kind: 'error', error: answer.error };
    if (answer?.result === undefined) throw new Error(`no answer, HTTP ${response.status}`);
    return { kind: 'result', result: answer.result };
  };
}
