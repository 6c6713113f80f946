import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { answer, hasHeaders, takeFault, type HttpAnswer, type PostFault } from './http-answer.ts';
import { type HttpFixture, type RecordedRequest, startHttpFixture } from './http-fixture.ts';
import { type RpcMessage, StrictMcpSession } from './strict-mcp-session.ts';

/** What the server does wrong; it may be changed while it runs. */
export interface Mischief {
  /**
   * The data of the `endpoint` event: none at all, one of another origin, or this. `SESSION` in it
   * is replaced by the session's id. Default `/messages?sessionId=SESSION`.
   */
  endpoint?: 'never' | 'other-origin' | (string & {});
  /** Without these headers, GET and POST are answered with 401. */
  requiredHeaders?: Record<string, string>;
  /** The answer to GET. */
  getAnswer?: HttpAnswer;
  /** The answers to some POSTs. */
  postFaults?: PostFault[];
  /** Where GETs or POSTs are redirected: to another origin, or to the same path below `/moved`. */
  redirect?: { method: 'GET' | 'POST'; status: number; to: 'other-origin' | 'same-origin' };
  /** Drops the stream once the POST of a `tools/call` has been answered with 202. */
  cutOnCall?: boolean;
  /** Drops the stream once the POST of a message with this method has been answered with 202. */
  cutOn?: string;
  /**
   * Gives every message on the stream an id, keeps a session when its stream drops, and resumes
   * with it, after the event that `Last-Event-ID` names, on the next stream.
   */
  eventIds?: boolean;
  /** Begins a new session although `Last-Event-ID` names an event of another. */
  dropsEvents?: boolean;
  /** Repeats so many events from before the one that `Last-Event-ID` names. */
  overlap?: number;
  /** Ends so many streams that were to resume right behind their `endpoint` event. */
  endsResumed?: number;
  /** The answer to a GET with `Last-Event-ID`. */
  resumeAnswer?: HttpAnswer;
  /** The `retry` field that every stream begins with. */
  retryMs?: number;
  /** The answer to the POST for a session that is not known. Default: 404. */
  lostSessionAnswer?: HttpAnswer;
  /** Accepts `tools/call` and never answers it. */
  hangOnCall?: boolean;
  /** Accepts messages with this method and never answers them. */
  hangOn?: string;
  /** Answers messages with this method with a JSON-RPC error. */
  failOn?: string;
  /**
   * What this returns is waited for before the POST of a message that came is answered: with the answer
   * that it brings, if it brings one, and then the message has no effect.
   */
  holdPost?: (message: RpcMessage) => Promise<HttpAnswer | void> | undefined;
  /** Answers `tools/call` with an event whose text has this many bytes. */
  hugeEventBytes?: number;
  /** How lines end. Default `\n`. */
  lineEnd?: '\n' | '\r\n' | '\r';
  /** Sends every byte as a chunk of its own. */
  splitEveryByte?: boolean;
  /** Puts {@link escapeSequences} in front of every text that a person may get to see. */
  escapeSequences?: boolean;
  /** Answers a request instead of the server when it returns something. */
  answer?: (request: RpcMessage) => unknown;
}

/** A colour, a window title, a write to the clipboard, a cleared screen, a bell, and C1 controls. */
export const escapeSequences =
  '\u001b[31m\u001b]0;title\u0007\u001b]52;c;cHduZWQ=\u001b\\\u001b[2J\u0007\u009b31m\u0090q\u009c';

/** An MCP server over HTTP+SSE (protocol 2024-11-05) that goes wrong in the ways it is told to. */
export interface HostileSseServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/sse`. */
  readonly url: string;
  readonly mischief: Mischief;
  /** Every HTTP request, what was refused included. */
  readonly requests: RecordedRequest[];
  /** Every message that was accepted, of all sessions. */
  readonly messages: RpcMessage[];
  /** Another server, to which nothing must ever be sent. */
  readonly otherOrigin: Pick<HttpFixture, 'origin' | 'requests' | 'acceptedConnections'>;
  /** The messages with this method. */
  messagesOf(method: string): RpcMessage[];
  /** Streams that are open now. */
  openStreams(): number;
  /** Sessions that were ever opened. */
  openedSessions(): number;
  /** Connections that are open now. */
  openConnections(): number;
  /** Sends a message to all sessions. */
  push(message: RpcMessage): void;
  /** Sends an event to all sessions; it need not be a message. */
  pushEvent(event: string, data: string): void;
  /** Writes to all streams what need not even be an event. */
  write(text: string): void;
  /** Drops all streams. */
  cut(): void;
  /** Knows no session any more, though their streams stay open. */
  dropSessions(): void;
  close(): Promise<void>;
}

interface Session {
  mcp: StrictMcpSession;
  response: ServerResponse;
  /** What was sent with an id. */
  log: { id: string; data: string }[];
}

/** Starts a hostile server on a free port of 127.0.0.1, and another one for it to point at. */
export async function startHostileSse(mischief: Mischief = {}): Promise<HostileSseServer> {
  const sessions = new Map<string, Session>();
  const streams = new Set<ServerResponse>();
  const messages: RpcMessage[] = [];
  let openedSessions = 0;
  let lastEventId = 0;

  const otherOrigin = await startHttpFixture((_request, response) => {
    response.writeHead(202).end();
  });

  function handle(request: RecordedRequest, response: ServerResponse): void {
    const { method } = request;
    const url = new URL(request.url, 'http://server');
    if (!hasHeaders(request, mischief.requiredHeaders)) {
      answer(response, {
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
        body: 'who are you?',
      });
    } else if (mischief.redirect?.method === method && !url.pathname.startsWith('/moved/')) {
      const { status, to } = mischief.redirect;
      const origin = to === 'other-origin' ? otherOrigin.origin : '/moved';
      answer(response, { status, headers: { location: origin + request.url } });
    } else if (method === 'GET' && url.pathname.endsWith('/sse')) {
      const lastId = request.headers['last-event-id'] as string | undefined;
      const rejection = mischief.getAnswer ?? (lastId && mischief.resumeAnswer);
      if (rejection) answer(response, rejection);
      else if (!resumeStream(response, lastId)) openStream(response);
    } else if (method === 'POST' && sessions.has(url.searchParams.get('sessionId') ?? '')) {
      takePost(request, response, url.searchParams.get('sessionId') ?? '');
    } else if (method === 'POST' && mischief.lostSessionAnswer) {
      answer(response, mischief.lostSessionAnswer);
    } else {
      answer(response, { status: method === 'GET' || method === 'POST' ? 404 : 405 });
    }
  }

  function openStream(response: ServerResponse): void {
    const id = randomUUID();
    openedSessions += 1;
    const mcp = new StrictMcpSession({
      send: (message) => sendMessage(session, JSON.stringify(message)),
      textPrefix: () => (mischief.escapeSequences ? escapeSequences : ''),
      answer: (request) => mischief.answer?.(request),
    });
    const session: Session = { mcp, response, log: [] };
    sessions.set(id, session);
    beginStream(response, id);
  }

  /** Whether the stream resumes a known session. */
  function resumeStream(response: ServerResponse, lastId: string | undefined): boolean {
    if (lastId === undefined || mischief.dropsEvents) return false;
    for (const [id, session] of sessions) {
      const seen = session.log.findIndex((event) => event.id === lastId);
      if (seen < 0) continue;
      session.response = response;
      // What was missed comes in one piece with the beginning.
      response.cork();
      process.nextTick(() => response.uncork());
      beginStream(response, id);
      if (mischief.endsResumed) {
        mischief.endsResumed -= 1;
        response.end();
        return true;
      }
      const missed = session.log.slice(Math.max(0, seen + 1 - (mischief.overlap ?? 0)));
      for (const event of missed) sendEvent(response, 'message', event.data, event.id);
      return true;
    }
    return false;
  }

  function beginStream(response: ServerResponse, id: string): void {
    streams.add(response);
    response.once('close', () => {
      streams.delete(response);
      if (mischief.eventIds) return;
      sessions.get(id)?.mcp.close();
      sessions.delete(id);
    });
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
    if (mischief.retryMs !== undefined) response.write(`retry: ${mischief.retryMs}\n`);
    const endpoint = mischief.endpoint ?? '/messages?sessionId=SESSION';
    if (endpoint === 'never') return;
    const there = `${otherOrigin.origin}/messages?sessionId=SESSION`;
    const data = (endpoint === 'other-origin' ? there : endpoint).replace('SESSION', id);
    sendEvent(response, 'endpoint', data);
  }

  function takePost(request: RecordedRequest, response: ServerResponse, sessionId: string): void {
    const message = request.json as RpcMessage | undefined;
    const fault = message && takeFault(mischief.postFaults, message);
    if (fault?.breaksOff) {
      response.destroy();
    } else if (fault) {
      answer(response, fault);
    } else if (!request.headers['content-type']?.startsWith('application/json')) {
      answer(response, { status: 415 });
    } else if (message?.jsonrpc !== '2.0') {
      answer(response, { status: 400, body: 'no JSON-RPC message' });
    } else {
      messages.push(message);
      const accept = (): void => {
        if (response.destroyed) act(message, sessionId);
        else response.writeHead(202).end('Accepted', () => act(message, sessionId));
      };
      const held = mischief.holdPost?.(message);
      if (held) void held.then((refusal) => (refusal ? answer(response, refusal) : accept()));
      else accept();
    }
  }

  /** What follows a message that was accepted. */
  function act(message: RpcMessage, sessionId: string): void {
    const session = sessions.get(sessionId);
    if (!session) return;
    const isCall = message.method === 'tools/call';
    const isCut = mischief.cutOn !== undefined && message.method === mischief.cutOn;
    if (isCut || (isCall && mischief.cutOnCall)) {
      session.response.destroy();
    } else if (isCall && mischief.hugeEventBytes !== undefined && message.id !== undefined) {
      const content = [{ type: 'text', text: 'x'.repeat(mischief.hugeEventBytes) }];
      const huge = { jsonrpc: '2.0', id: message.id, result: { content } };
      sendMessage(session, JSON.stringify(huge));
    } else if (mischief.failOn !== undefined && message.method === mischief.failOn) {
      const error = { code: -32603, message: 'unsupported' };
      sendMessage(session, JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
    } else if (!(isCall && mischief.hangOnCall) && message.method !== (mischief.hangOn ?? '')) {
      session.mcp.receive(message);
    }
  }

  function sendMessage(session: Session, data: string): void {
    const id = mischief.eventIds ? String(++lastEventId) : undefined;
    if (id !== undefined) session.log.push({ id, data });
    sendEvent(session.response, 'message', data, id);
  }

  function sendEvent(response: ServerResponse, event: string, data: string, id?: string): void {
    if (response.destroyed) return;
    const lineEnd = mischief.lineEnd ?? '\n';
    const idLine = id === undefined ? '' : `id: ${id}${lineEnd}`;
    const text = `event: ${event}${lineEnd}${idLine}data: ${data}${lineEnd}${lineEnd}`;
    if (!mischief.splitEveryByte) response.write(text);
    else for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
  }

  function pushEvent(event: string, data: string): void {
    for (const session of sessions.values()) {
      if (event === 'message') sendMessage(session, data);
      else sendEvent(session.response, event, data);
    }
  }

  const fixture = await startHttpFixture(handle);
  const close = async (): Promise<void> => {
    await Promise.all([fixture.close(), otherOrigin.close()]);
    for (const { mcp } of sessions.values()) mcp.close();
  };
  return {
    url: `${fixture.origin}/sse`,
    mischief,
    requests: fixture.requests,
    messages,
    otherOrigin,
    messagesOf: (method) => messages.filter((message) => message.method === method),
    openStreams: () => streams.size,
    openedSessions: () => openedSessions,
    openConnections: () => fixture.openConnections(),
    push: (message) => pushEvent('message', JSON.stringify(message)),
    pushEvent,
    write: (text) => {
      for (const stream of streams) stream.write(text);
    },
    cut: () => {
      for (const stream of streams) stream.destroy();
    },
    dropSessions: () => {
      for (const { mcp } of sessions.values()) mcp.close();
      sessions.clear();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
