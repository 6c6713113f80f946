import { request } from 'undici';

/** An answer, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** A message that initializes. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'attacker', version: '1.0.0' },
  },
};

/** Asks, and reads the answer. */
export async function ask(
  url: string,
  {
    method = 'POST',
    body,
    headers = {},
  }: { method?: 'GET' | 'POST' | 'DELETE'; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const answer = await request(url, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: await answer.body.text(),
  };
}

/** The JSON-RPC messages of an answer, whether it is JSON or an event stream. */
export function messagesIn({ headers, text }: Answered): Record<string, unknown>[] {
  if (!String(headers['content-type']).startsWith('text/event-stream')) {
    return text.startsWith('{') ? [JSON.parse(text) as Record<string, unknown>] : [];
  }
  return [...text.matchAll(/^data: (\{.*\})$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as Record<string, unknown>,
  );
}
