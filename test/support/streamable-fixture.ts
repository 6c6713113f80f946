import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { answer, hasHeaders, takeFault, type HttpAnswer, type PostFault } from './http-answer.ts';
import { type HttpFixture, type RecordedRequest, startHttpFixture } from './http-fixture.ts';
import { EventLog } from './streamable-log.ts';
import { discovered, inModernWords, objectionTo, type Objection } from './streamable-rules.ts';
import { type RpcMessage, StrictMcpSession } from './strict-mcp-session.ts';

/** What the server does wrong, or otherwise than by default; it may be changed while it runs. */
export interface StreamableMischief {
  /** Which protocol it speaks, and it knows no other. Default `legacy`: 2025-11-25. */
  era?: 'legacy' | 'modern';
  /** How a request is answered. Default `stream`. */
  answers?: 'json' | 'stream';
  /** Begins a session with `initialize`, in the legacy era. Default: true. */
  sessions?: boolean;
  /** Without these headers, everything is answered with 401. */
  requiredHeaders?: Record<string, string>;
  /** The answers to some POSTs. */
  postFaults?: PostFault[];
  /** The answer to every GET. */
  getAnswer?: HttpAnswer;
  /** The answer to a GET with `Last-Event-ID`. */
  resumeAnswer?: HttpAnswer;
  /** The answer to DELETE. Default: 200. */
  deleteAnswer?: HttpAnswer;
  /** The answer to what names a session that is not known. Default: 404. */
  lostSessionAnswer?: HttpAnswer;
  /** Gives every event an id, and resumes a stream after the one that `Last-Event-ID` names. */
  eventIds?: boolean;
  /** Repeats so many events from before the one that `Last-Event-ID` names. */
  overlap?: number;
  /** The `retry` field that every stream begins with. */
  retryMs?: number;
  /** Drops the stream that is to answer messages with this method, before they are acted on. */
  cutOn?: string;
  /** How many streams `cutOn` is for, those that resume one included. Default: all. */
  cuts?: number;
  /** What `subscriptions/listen` accepts of what it is asked for. Default: all of it. */
  accepts?: (notifications: unknown) => unknown;
  /** Accepts messages with this method and never answers them. */
  hangOn?: string;
  /** What this returns is waited for before the POST of a message that came is answered. */
  holdPost?: (message: RpcMessage) => Promise<void> | undefined;
  /** Answers a request instead of the server when it returns something. */
  answer?: (request: RpcMessage) => unknown;
}

/** A strict MCP server over Streamable HTTP that goes wrong in the ways it is told to. */
export interface StreamableServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/mcp`. */
  readonly url: string;
  readonly mischief: StreamableMischief;
  /** Every HTTP request, what was refused included. */
  readonly requests: RecordedRequest[];
  /** Every message that was accepted, of all sessions. */
  readonly messages: RpcMessage[];
  /** What a client did that the specification forbids, in words. */
  readonly violations: string[];
  /** The messages with this method. */
  messagesOf(method: string): RpcMessage[];
  /** The HTTP requests with this method. */
  requestsOf(method: string): RecordedRequest[];
  /** Streams that are open now, to a GET or a `subscriptions/listen`. */
  openStreams(): number;
  /** POSTs whose answer is open now. */
  openReplies(): number;
  /** Sessions that were ever opened. */
  openedSessions(): number;
  /** Sessions that a client has ended. */
  endedSessions(): number;
  /** Connections that are open now. */
  openConnections(): number;
  /** Says something on the server streams; or on those that are to answer POSTs. */
  push(message: RpcMessage, where?: 'server-stream' | 'replies'): void;
  /** Answers a request on its stream, whether or not anybody listens on it. */
  answerUnheard(answer: RpcMessage): void;
  /** Writes to the server streams what need not be an event. */
  write(text: string): void;
  /** Drops the server streams; or those that are to answer POSTs. */
  cut(which?: 'server-stream' | 'replies'): void;
  /** Ends what `subscriptions/listen` opened, as the protocol wants it. */
  endSubscriptions(): void;
  /** Knows no session any more, though their streams stay open. */
  dropSessions(): LostStreams;
  close(): Promise<void>;
}

/** The streams of sessions that the server does not know any more. */
export interface LostStreams {
  /** Says something on those that are to answer POSTs; an answer goes to its request alone. */
  push(message: RpcMessage): void;
  /** Drops them. */
  cut(): void;
}

/** One stream of events, across the responses that carry it. */
interface Stream {
  kind: 'server-stream' | 'reply' | 'subscription';
  /** The message that it answers, and by which progress names it. */
  id: unknown;
  session: Session;
  log: EventLog;
  response: ServerResponse;
}

interface Session {
  id: string | undefined;
  mcp: StrictMcpSession;
  streams: Set<Stream>;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startStreamable(
  mischief: StreamableMischief = {},
): Promise<StreamableServer> {
  const sessions = new Map<string | undefined, Session>();
  const messages: RpcMessage[] = [];
  const violations: string[] = [];
  let opened = 0;
  let ended = 0;

  function handle(request: RecordedRequest, response: ServerResponse): void {
    const url = new URL(request.url, 'http://server');
    if (!hasHeaders(request, mischief.requiredHeaders)) {
      answer(response, { status: 401, body: 'who are you?' });
    } else if (url.pathname !== '/mcp') {
      answer(response, { status: 404, body: 'no such page' });
    } else {
      const message = request.json as RpcMessage | undefined;
      const fault = message && takeFault(mischief.postFaults, message);
      if (fault?.breaksOff) response.destroy();
      else if (fault) answer(response, fault, message);
      else take(request, response);
    }
  }

  function take(request: RecordedRequest, response: ServerResponse): void {
    const session = sessionOf(request);
    const { era = 'legacy' } = mischief;
    const objection = objectionTo(request, { era, isKnown: session !== undefined });
    if (objection !== undefined) {
      refuse(objection, request, response);
    } else if (request.method === 'GET') {
      openServerStream(request, response, session as Session);
    } else if (request.method === 'DELETE') {
      answer(response, mischief.deleteAnswer ?? { status: 200 });
      if (mischief.deleteAnswer !== undefined) return;
      ended += 1;
      drop(session as Session);
    } else {
      const message = request.json as RpcMessage;
      messages.push(message);
      const held = mischief.holdPost?.(message);
      if (held) void held.then(() => takePost(message, response, session));
      else takePost(message, response, session);
    }
  }

  function refuse(objection: Objection, request: RecordedRequest, response: ServerResponse): void {
    if (objection.isViolation) violations.push(`${request.method}: ${objection.answer.body}`);
    const isSessionLost = objection.why === 'session-lost';
    const met = isSessionLost ? mischief.lostSessionAnswer : undefined;
    answer(response, met ?? objection.answer, request.json as RpcMessage | undefined);
  }

  /** Without sessions all requests are one another's. */
  function sessionOf({ headers, json }: RecordedRequest): Session | undefined {
    const isNew = (json as RpcMessage | undefined)?.method === 'initialize';
    if (mischief.era === 'modern') return sessions.get(undefined) ?? open(undefined);
    if (mischief.sessions === false) {
      return isNew ? open(undefined) : sessions.get(undefined);
    }
    return sessions.get(headers['mcp-session-id'] as string | undefined);
  }

  function open(id: string | undefined): Session {
    opened += 1;
    const session: Session = {
      id,
      streams: new Set(),
      mcp: new StrictMcpSession({
        send: (message) => say(session, message),
        answer: (request) =>
          mischief.answer?.(request) ??
          (request.method === 'server/discover'
            ? discovered({ tools: { listChanged: true } })
            : undefined),
        protocolVersion: '2025-11-25',
        shakesHands: mischief.era !== 'modern',
      }),
    };
    sessions.set(id, session);
    return session;
  }

  function drop(session: Session): void {
    session.mcp.close();
    sessions.delete(session.id);
    for (const { response } of session.streams) response.destroy();
  }

  function openServerStream(
    request: RecordedRequest,
    response: ServerResponse,
    session: Session,
  ): void {
    const lastId = request.headers['last-event-id'] as string | undefined;
    const rejection = mischief.getAnswer ?? (lastId && mischief.resumeAnswer);
    if (rejection) {
      answer(response, rejection);
      return;
    }
    const resumed = [...session.streams].find(({ log }) => log.has(lastId));
    const stream = resumed ?? newStream('server-stream', undefined, session);
    stream.response = response;
    begin(stream, {});
    if (resumed && isCut(stream.id)) return void setImmediate(() => response.destroy());
    if (lastId !== undefined) stream.log.replay(response, lastId, mischief.overlap);
    endIfAnswered(stream);
  }

  function takePost(message: RpcMessage, response: ServerResponse, known?: Session): void {
    const isInitialize = message.method === 'initialize';
    const hasName = mischief.era !== 'modern' && mischief.sessions !== false;
    const session = known ?? open(hasName ? randomUUID() : undefined);
    if (message.id === undefined || message.method === undefined) {
      response.writeHead(202).end();
      session.mcp.receive(message);
      return;
    }
    const isListen = message.method === 'subscriptions/listen';
    const stream = newStream(isListen ? 'subscription' : 'reply', message.id, session);
    stream.response = response;
    const isJson = mischief.answers === 'json' && !isListen;
    if (!isJson) begin(stream, isInitialize && hasName ? { 'mcp-session-id': session.id } : {});
    else if (isInitialize && hasName) response.setHeader('mcp-session-id', session.id as string);
    if (message.method === mischief.cutOn && !isJson && isCut(message.id)) {
      setImmediate(() => {
        response.destroy();
        session.mcp.receive(message);
      });
    } else if (isListen) {
      acknowledge(stream, message);
    } else if (message.method !== mischief.hangOn) {
      session.mcp.receive(message);
    }
  }

  /** Whether the stream that answers this request is to be dropped. */
  function isCut(id: unknown): boolean {
    const message = messages.findLast((candidate) => candidate.id === id);
    if (message === undefined || message.method !== mischief.cutOn) return false;
    if (mischief.cuts === undefined) return true;
    mischief.cuts -= 1;
    return mischief.cuts >= 0;
  }

  function newStream(kind: Stream['kind'], id: unknown, session: Session): Stream {
    const log = new EventLog();
    const stream: Stream = { kind, id, session, log, response: undefined as never };
    session.streams.add(stream);
    return stream;
  }

  function begin({ response, log, session, ...stream }: Stream, headers: object): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    response.flushHeaders();
    if (mischief.retryMs !== undefined) response.write(`retry: ${mischief.retryMs}\n\n`);
    // "The server SHOULD immediately send an SSE event consisting of an event ID and an empty data
    // field", so that a stream that ends at once can be resumed.
    if (mischief.eventIds && stream.kind === 'reply' && log.isEmpty) log.write(response, '');
    response.once('close', () => {
      if (!mischief.eventIds) for (const open of session.streams) removeIfOf(open, response);
    });
  }

  function removeIfOf(stream: Stream, response: ServerResponse): void {
    if (stream.response === response) stream.session.streams.delete(stream);
  }

  function acknowledge(stream: Stream, { params }: RpcMessage): void {
    write(stream, {
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: mischief.accepts?.(params?.['notifications']) ?? params?.['notifications'],
      },
    });
  }

  /** Progress and answers go to the request that they belong to, and all else to who listens. */
  function say(session: Session, message: RpcMessage): void {
    const id = message.method === undefined ? message.id : message.params?.['progressToken'];
    for (const stream of session.streams) if (stream.id === id) write(stream, message);
  }

  function write(stream: Stream, message: RpcMessage): void {
    const { response, log, kind, id } = stream;
    const isAnswer = message.method === undefined && message.id === id;
    const subscription = kind === 'subscription' ? id : undefined;
    const told = mischief.era === 'modern' ? inModernWords(message, subscription) : message;
    const text = JSON.stringify(told);
    if (isAnswer) log.isAnswered = true;
    if (response.headersSent) {
      log.write(response, text, mischief.eventIds);
      endIfAnswered(stream);
    } else if (isAnswer) {
      const isUnknown = mischief.era === 'modern' && message.error?.code === -32601;
      response.writeHead(isUnknown ? 404 : 200, { 'content-type': 'application/json' }).end(text);
    }
  }

  function endIfAnswered({ log, response, kind }: Stream): void {
    if (kind !== 'server-stream' && log.isAnswered) response.end();
  }

  const streams = (which?: 'server-stream' | 'replies'): Stream[] =>
    [...sessions.values()]
      .flatMap((session) => [...session.streams])
      .filter(({ kind }) => which === undefined || (kind === 'reply') === (which === 'replies'))
      .filter(({ response }) => !response.destroyed && !response.writableEnded);

  const fixture: HttpFixture = await startHttpFixture(handle);
  const close = async (): Promise<void> => {
    await fixture.close();
    for (const { mcp } of sessions.values()) mcp.close();
  };
  return {
    url: `${fixture.origin}/mcp`,
    mischief,
    requests: fixture.requests,
    messages,
    violations,
    messagesOf: (method) => messages.filter((message) => message.method === method),
    requestsOf: (method) => fixture.requests.filter((request) => request.method === method),
    openStreams: () => streams('server-stream').length,
    openReplies: () => streams('replies').length,
    openedSessions: () => opened,
    endedSessions: () => ended,
    openConnections: () => fixture.openConnections(),
    push: (message, where = 'server-stream') => {
      for (const stream of streams(where)) write(stream, message);
    },
    answerUnheard: (message) => {
      for (const session of sessions.values()) say(session, message);
    },
    write: (text) => {
      for (const { response } of streams('server-stream')) response.write(text);
    },
    cut: (which = 'server-stream') => {
      for (const { response } of streams(which)) response.destroy();
    },
    endSubscriptions: () => {
      for (const stream of streams('server-stream')) {
        write(stream, { jsonrpc: '2.0', id: stream.id as number, result: {} });
      }
    },
    dropSessions: () => {
      const lost = [...sessions.values()];
      for (const { mcp } of lost) mcp.close();
      sessions.clear();
      return {
        push: (message) => {
          const isAnswer = message.method === undefined;
          for (const stream of lost.flatMap((session) => [...session.streams])) {
            const isMeant = isAnswer ? stream.id === message.id : stream.kind === 'reply';
            if (isMeant) write(stream, message);
          }
        },
        cut: () => {
          for (const session of lost)
            for (const { response } of session.streams) response.destroy();
        },
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
