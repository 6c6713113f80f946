import type { Result } from '@modelcontextprotocol/client';
import { LongwireError } from '../../../src/errors.ts';
import type { McpRequest, McpResponse, Middleware } from '../../../src/middleware/index.ts';
import { ToolCatalog } from '../../../src/tools/catalog.ts';

/** What the server makes of a request. */
export type Answer = (request: McpRequest) => Result | Promise<Result>;

/** A request to send through middlewares, and its end. */
export interface Sent {
  request: McpRequest;
  response: Promise<McpResponse>;
  /** The call ends early. */
  stop: (error?: LongwireError) => void;
}

/** What requests go through in a test: some middlewares, and a server that is a function. */
export interface Around {
  /** Every request that came to the server, as it was then. */
  readonly asked: {
    method: string;
    params: McpRequest['params'];
    headers: McpRequest['headers'];
  }[];
  /** Errors that requests were ended with by middlewares. */
  readonly aborted: LongwireError[];
  send(method: string, part?: Partial<McpRequest>): Sent;
  /** Calls a tool, and gives the response. */
  call(tool: string, args?: object, part?: Partial<McpRequest>): Promise<McpResponse>;
}

/** The connection's own handling of middlewares, as far as these tests need it. */
export function around(middleware: Middleware | Middleware[], answer: Answer = said('ok')): Around {
  const chain = [middleware].flat();
  const asked: Around['asked'] = [];
  const aborted: LongwireError[] = [];
  const catalog = new ToolCatalog();

  const enter = async (request: McpRequest, index: number): Promise<McpResponse> => {
    const outer = chain[index];
    if (outer !== undefined) return outer(request, () => enter(request, index + 1));
    asked.push({
      method: request.method,
      params: request.params,
      headers: { ...request.headers },
    });
    request.onSent?.();
    const result = await answer(request);
    if (request.method === 'tools/list') catalog.learn(request.params?.['cursor'], result);
    return { result, metadata: {} };
  };

  const send: Around['send'] = (method, part = {}) => {
    const stopping = new AbortController();
    const request: McpRequest = {
      method,
      params: undefined,
      headers: {},
      signal: stopping.signal,
      idempotent: false,
      internal: false,
      metadata: {},
      client: catalog.client,
      origin: 'http://127.0.0.1',
      server: 'market',
      trustHints: true,
      redact: (text) => text,
      abort: (error) => aborted.push(error),
      ...part,
    };
    const stop: Sent['stop'] = (error = failure('aborted', 'not-sent')) => stopping.abort(error);
    return { request, response: enter(request, 0), stop };
  };
  return {
    asked,
    aborted,
    send,
    call: (tool, args = {}, part = {}) =>
      send('tools/call', { params: { name: tool, arguments: args }, ...part }).response,
  };
}

/** A server that always says the same. */
export function said(text: string): Answer {
  return () => ({ content: [{ type: 'text', text }] });
}

/** A list of one tool, with what its server says of it. */
export function listed(name: string, annotations: object): Result {
  return { tools: [{ name, inputSchema: { type: 'object' }, annotations }] };
}

/** An error as the connection makes them. */
export function failure(
  code: LongwireError['code'],
  certainty: LongwireError['certainty'],
): LongwireError {
  return new LongwireError(`a failure: ${code}`, { code, certainty });
}

/** Something that a test lets happen when it wants. */
export interface Gate<T> {
  promise: Promise<T>;
  open: (value: T) => void;
  fail: (error: unknown) => void;
}

export function gate<T>(): Gate<T> {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}
