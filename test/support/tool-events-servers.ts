import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type HttpFixture, type RecordedRequest, startHttpFixture } from './http-fixture.ts';
import { eventTools, type ToolOutcome } from './tool-events-tools.ts';

/** The kinds of tool-events servers that are out there. */
export type ToolEventsKind =
  /** Answers a call in the body of its POST, without a content type, and never ends that body. */
  | 'answers-in-body'
  /** Answers a call with 202, and sends the outcome on the session's stream, without an id. */
  | 'answers-on-stream'
  /** Has one session, `abc`, whose endpoint reads `/messages/?session_id=abc&v=2` and nothing else. */
  | 'fixed-endpoint';

/** How a tool-events server is to behave. */
export interface ToolEventsServerOptions {
  kind: ToolEventsKind;
  /** What the header `api_key` must hold, on the GET and on every POST. Default `test-key`. */
  apiKey?: string;
  /** Where calls are taken: at the URL of the stream, at the endpoint, or at both. Default `stream`. */
  callsAt?: 'stream' | 'endpoint' | 'both';
  /** What the first `tools` event holds. Default: all that the server can do. */
  tools?: unknown;
}

/** A call that reached a tool. */
export interface ReceivedCall {
  sessionId: string;
  tool: string;
  args: Record<string, unknown>;
}

/** A server that speaks the tool-events transport the way the ones out there do: naively. */
export interface ToolEventsServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without the `/sse`. */
  readonly url: string;
  readonly apiKey: string;
  /** Everything that arrived, what was refused included. */
  readonly requests: RecordedRequest[];
  /** The calls that were run, in the order in which they came. */
  readonly calls: ReceivedCall[];
  /** The most calls that were ever in flight at a time in one session. */
  maxInFlight(): number;
  /** Streams that are open now. */
  openStreams(): number;
  /** Sends an event to all sessions; what is not a string is sent as JSON. */
  push(event: string, data: unknown): void;
  /** Writes to all streams what need not even be an event. */
  write(text: string): void;
  /** Drops all streams, and all answers that are not complete. */
  cut(): void;
  close(): Promise<void>;
}

interface Session {
  id: string;
  stream: ServerResponse;
  inFlight: number;
}

/** Starts a tool-events server on a free port of 127.0.0.1. */
export async function startToolEventsServer(
  options: ToolEventsServerOptions,
): Promise<ToolEventsServer> {
  const { kind, apiKey = 'test-key', callsAt = 'stream', tools = eventTools } = options;
  const sessions = new Map<string, Session>();
  const answers = new Set<ServerResponse>();
  const calls: ReceivedCall[] = [];
  let maxInFlight = 0;

  function handle(request: RecordedRequest, response: ServerResponse): void {
    const path = new URL(request.url, 'http://server').pathname;
    if (request.headers['api_key'] !== apiKey) {
      refuse(response, 401, 'invalid api_key');
    } else if (request.method === 'GET' && path === '/sse') {
      openStream(response);
    } else if (request.method === 'POST' && path === '/sse') {
      takePost(request, response, { mayCall: callsAt !== 'endpoint' });
    } else if (request.method === 'POST' && isEndpoint(request.url)) {
      takePost(request, response, { mayCall: callsAt !== 'stream' });
    } else {
      refuse(response, 404, 'not found');
    }
  }

  function openStream(stream: ServerResponse): void {
    const id = kind === 'fixed-endpoint' ? 'abc' : randomUUID();
    const session = { id, stream, inFlight: 0 };
    sessions.set(id, session);
    stream.once('close', () => {
      if (sessions.get(id) === session) sessions.delete(id);
    });
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    send(stream, 'endpoint', endpointOf(kind, id));
    send(stream, 'tools', tools);
  }

  function isEndpoint(url: string): boolean {
    return [...sessions.keys()].some((id) => endpointOf(kind, id) === url);
  }

  function takePost(
    { url, json }: RecordedRequest,
    response: ServerResponse,
    { mayCall }: { mayCall: boolean },
  ): void {
    const { session_id, tool, args = {} } = (json ?? {}) as Record<string, unknown>;
    const inQuery = new URL(url, 'http://server').searchParams.get('session_id') ?? 'none';
    const id = typeof session_id === 'string' ? session_id : inQuery;
    const session = sessions.get(id);
    if (typeof tool !== 'string') refuseForeign(response, session);
    else if (!mayCall) refuse(response, 404, 'calls are not taken here');
    else if (!session) refuse(response, 404, `no session ${id}`);
    else
      run({ sessionId: session.id, tool, args: args as ReceivedCall['args'] }, session, response);
  }

  /** What is no call is answered for like a call that went wrong. */
  function refuseForeign(response: ServerResponse, session: Session | undefined): void {
    const error = { message: 'unknown tool: undefined' };
    if (kind === 'answers-in-body') {
      openBody(response);
      send(response, 'error', error);
    } else if (kind === 'answers-on-stream') {
      response.writeHead(202).end();
      if (session) send(session.stream, 'error', error);
    } else {
      refuse(response, 422, 'field required: tool');
    }
  }

  function run(call: ReceivedCall, session: Session, response: ServerResponse): void {
    calls.push(call);
    session.inFlight += 1;
    maxInFlight = Math.max(maxInFlight, session.inFlight);
    const onStream = kind === 'answers-on-stream';
    if (onStream) response.writeHead(202).end();
    else openBody(response);
    // Calls that came later may be done earlier.
    const delayMs = onStream ? 1 + ((calls.length * 7) % 5) * 3 : 0;
    void outcomeOf(call, delayMs).then(([event, data]) => {
      session.inFlight -= 1;
      send(onStream ? session.stream : response, event, data);
      if (kind === 'fixed-endpoint') response.end();
    });
  }

  /** The body of an answer, sent at once and left open. */
  function openBody(response: ServerResponse): void {
    answers.add(response);
    response.once('close', () => answers.delete(response));
    if (kind === 'fixed-endpoint') response.setHeader('content-type', 'text/event-stream');
    response.writeHead(200).flushHeaders();
  }

  function push(event: string, data: unknown): void {
    for (const { stream } of sessions.values()) send(stream, event, data);
  }

  function cut(): void {
    for (const { stream } of sessions.values()) stream.destroy();
    for (const response of answers) response.destroy();
  }

  const fixture: HttpFixture = await startHttpFixture(handle);
  return {
    url: fixture.origin,
    apiKey,
    requests: fixture.requests,
    calls,
    maxInFlight: () => maxInFlight,
    openStreams: () => sessions.size,
    push,
    write: (text) => {
      for (const { stream } of sessions.values()) stream.write(text);
    },
    cut,
    close: () => fixture.close(),
    [Symbol.asyncDispose]: () => fixture.close(),
  };
}

function endpointOf(kind: ToolEventsKind, id: string): string {
  return kind === 'fixed-endpoint'
    ? `/messages/?session_id=${id}&v=2`
    : `/messages?session_id=${id}`;
}

async function outcomeOf(call: ReceivedCall, delayMs: number): Promise<ToolOutcome> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const tool = eventTools.find(({ name }) => name === call.tool);
  return tool ? tool.run(call.args) : ['error', { message: `unknown tool: ${call.tool}` }];
}

function send(stream: ServerResponse, event: string, data: unknown): void {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  if (!stream.destroyed) stream.write(`event: ${event}\ndata: ${text}\n\n`);
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
