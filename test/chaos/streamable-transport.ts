import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChaosSession, type ClientMessage, type RequestId } from './chaos-session.ts';
import { readMessage, refuse } from './server-transport.ts';
import { DocumentReply, StreamReply, type PostReply } from './post-reply.ts';
import { SessionTransport } from './session-transport.ts';
import type { KeptSession } from './session-store.ts';

const VERSION = '2025-11-25';
/** Which of its streams a session keeps: the last so many that are over. */
const MAX_STREAMS_OVER = 256;
/** When a client is to come back that was sent away in the middle of an answer. */
const RETRY_MS = 5;

interface Session extends KeptSession {
  mcp: ChaosSession;
  /** What answers requests, as long as they are not answered. */
  replies: Map<RequestId, PostReply>;
  /** All resumable streams, by the name in their event ids. */
  streams: Map<string, StreamReply>;
  /** On which it speaks unasked. */
  serverStream: StreamReply | undefined;
  /** How many requests are open. */
  inUse: number;
}

/** Streamable HTTP of protocol 2025-11-25: sessions, and answers in the bodies of POSTs. */
export class StreamableTransport extends SessionTransport<Session> {
  readonly path = '/mcp';

  get openStreams(): number {
    return this.sessions
      .all()
      .flatMap(allOf)
      .filter(({ isOpen }) => isOpen).length;
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    const message = method === 'POST' ? await readMessage(request) : undefined;
    if (method === 'POST' && message === undefined) {
      this.#refuseBreach(response, 'a POST without a JSON-RPC message');
      return;
    }
    if (!isAccepted(request)) {
      this.#refuseBreach(response, `${method} accepts only ${headers.accept}`);
      return;
    }
    const id = headers['mcp-session-id'];
    if (id === undefined && message !== undefined) {
      this.#takeFirst(message, response);
      return;
    }
    const session = this.sessions.get(String(id));
    if (id === undefined) this.#refuseBreach(response, `${method} without a session`);
    else if (session === undefined) this.#refuseLostSession(response);
    else if (session.mcp.isReady && headers['mcp-protocol-version'] !== VERSION) {
      this.#refuseBreach(
        response,
        `${method} of version ${String(headers['mcp-protocol-version'])}`,
      );
    } else this.#takeInSession(session, message, request, response);
  }

  /** What names no session may begin one. Somebody who looks for another protocol does no wrong. */
  #takeFirst(message: ClientMessage, response: ServerResponse): void {
    const { method, id } = message;
    if (method === 'server/discover') refuse(response, 400, 'Bad Request: Server not initialized');
    else if (method !== 'initialize' || id === undefined) {
      this.#refuseBreach(response, `${method} without a session`);
    } else {
      const session = this.#open();
      this.#use(session, response);
      this.#answer(session, message, response, { 'mcp-session-id': session.id });
    }
  }

  #takeInSession(
    session: Session,
    message: ClientMessage | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    this.#use(session, response);
    if (request.method === 'GET') this.#openStream(session, request, response);
    else if (request.method === 'DELETE') {
      this.sessions.end(session.id);
      response.writeHead(204).end();
    } else if (message?.id !== undefined && message.method !== undefined) {
      this.#answer(session, message, response);
    } else if (message !== undefined) {
      session.mcp.receive(message);
      response.writeHead(202).end();
    } else {
      this.#refuseBreach(response, `a ${request.method}`);
    }
  }

  #open(): Session {
    const { onRun, onBreach } = this.options;
    const id = randomUUID();
    const replies = new Map<RequestId, PostReply>();
    const mcp = new ChaosSession({
      version: VERSION,
      send: (message, belongsTo) => {
        if (belongsTo === undefined) session.serverStream?.send(message);
        else {
          const reply = replies.get(belongsTo);
          reply?.send(message);
          if ('id' in message) replies.delete(belongsTo);
        }
      },
      onRun,
      onBreach,
    });
    const session: Session = {
      id,
      mcp,
      replies,
      streams: new Map(),
      serverStream: undefined,
      inUse: 0,
      close: () => {
        mcp.close();
        for (const reply of allOf(session)) reply.close();
      },
    };
    this.sessions.add(session);
    return session;
  }

  /** A session is kept as long as somebody is there. */
  #use(session: Session, response: ServerResponse): void {
    session.inUse += 1;
    this.sessions.keep(session.id);
    response.once('close', () => {
      session.inUse -= 1;
      if (session.inUse === 0) this.sessions.endIn(session.id, this.options.sessionLifeMs);
    });
  }

  #answer(
    session: Session,
    message: ClientMessage,
    response: ServerResponse,
    headers: Record<string, string> = {},
  ): void {
    const { random, resumable, documentShare, pausedShare } = this.options;
    if (session.replies.has(message.id as RequestId)) {
      this.#refuseBreach(response, `the id ${message.id} is in use`);
      return;
    }
    const receive = (): void => session.mcp.receive(message);
    if (random.chance(documentShare)) {
      session.replies.set(message.id as RequestId, new DocumentReply(response, headers));
      receive();
      return;
    }
    const stream = this.#addStream(session);
    session.replies.set(message.id as RequestId, stream);
    stream.begin(response, headers);
    const isPaused = resumable && random.chance(pausedShare);
    const isPrimed = isPaused || (resumable && random.chance(0.7));
    if (isPrimed) stream.prime(isPaused ? RETRY_MS : undefined);
    // "The server MAY close the connection … at any time" after it has sent an event id.
    if (isPaused) stream.pause();
    receive();
  }

  #addStream(session: Session): StreamReply {
    if (!this.options.resumable) return new StreamReply();
    const { streams } = session;
    const name = randomUUID();
    const stream = new StreamReply(name);
    streams.set(name, stream);
    const over = [...streams].filter(([, { isOver }]) => isOver);
    const [oldest] = over;
    if (over.length > MAX_STREAMS_OVER && oldest !== undefined) streams.delete(oldest[0]);
    return stream;
  }

  #openStream(session: Session, request: IncomingMessage, response: ServerResponse): void {
    const lastEventId = request.headers['last-event-id'];
    if (lastEventId !== undefined) {
      const [name = '', number = ''] = String(lastEventId).split(':');
      const stream = session.streams.get(name);
      if (stream?.resume(response, Number(number)) === true) this.resumptions += 1;
      else refuse(response, 400, 'Bad Request: no such event');
      return;
    }
    // A client may have closed the previous stream unnoticed.
    session.serverStream?.close();
    session.serverStream = this.#addStream(session);
    session.serverStream.begin(response);
    if (this.options.resumable) session.serverStream.prime();
  }

  #refuseLostSession(response: ServerResponse): void {
    if (this.options.random.chance(0.5)) {
      refuse(response, 404, 'no such session');
      return;
    }
    const error = { code: -32001, message: 'Session not found' };
    response
      .writeHead(404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
  }

  #refuseBreach(response: ServerResponse, what: string): void {
    this.options.onBreach(what);
    refuse(response, 400, what);
  }
}

function allOf({ replies, streams, serverStream }: Session): PostReply[] {
  const all = new Set<PostReply>([...replies.values(), ...streams.values()]);
  if (serverStream !== undefined) all.add(serverStream);
  return [...all];
}

function isAccepted({ method, headers: { accept = '' } }: IncomingMessage): boolean {
  if (method === 'DELETE') return true;
  const takesEvents = accept.includes('text/event-stream');
  return method === 'GET' ? takesEvents : takesEvents && accept.includes('application/json');
}
