import type { JSONRPCMessage, MessageExtraInfo, RequestId } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ClientCall } from '../calls/client-call.js';
import { EventStream, encodeEvent } from '../events/event-stream.js';
import { StreamSink } from '../events/stream-sink.js';
import { IncomingRequest } from '../http/incoming-request.js';
import { isRequest, parseBody, parseMessage, Unreadable } from '../http/messages.js';
import { QUIET } from '../http/quiet.js';
import { forwardedPrefix, requestPath } from '../request-path.js';
import type { Mount } from '../mount.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import { isRefusal, refuse } from '../refusal.js';
import type { AnsweredRequest, RunningRequest } from '../sessions/accepted-requests.js';
import { admit, digestOf } from '../sessions/admission.js';
import { MAIN_STREAM } from '../sessions/session-streams.js';
import { Session } from '../sessions/session.js';
import { isToolCall } from '../tool-events/tool-call.js';
import { ToolEvents } from '../tool-events/tool-events.js';

/** At least 128 bits, as 22 characters of base64 are. */
const RESUME_KEY = /^[A-Za-z0-9_~.-]{22,256}$/;

/** A session that a client comes back to, and the place after which it has missed messages. */
interface Resumable {
  readonly session: Session;
  /** Missing where the client has no cursor: it gets again what it may need. */
  readonly after: number | undefined;
}

/**
 * HTTP+SSE of 2024-11-05: a stream for everything that the server says, and POSTs for the rest. With
 * `toolEvents`, the tool-events transport on the same routes.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export class SseRoutes {
  readonly #mount: Mount;
  readonly #toolEvents: ToolEvents | undefined;

  constructor(mount: Mount) {
    this.#mount = mount;
    if (mount.options.toolEvents) this.#toolEvents = new ToolEvents(mount);
  }

  register(fastify: FastifyInstance): void {
    // A HEAD route of Fastify's would open a session.
    fastify.get('/sse', { ...QUIET, exposeHeadRoute: false }, async (request, reply) =>
      this.#listen(request, reply),
    );
    fastify.post('/messages', QUIET, (request, reply) => {
      const body = parseBody(request, this.#mount.options);
      if (body instanceof Unreadable) return refuse(reply, body.refusal);
      if (this.#toolEvents !== undefined && isToolCall(body)) {
        return this.#toolEvents.call(body, request, reply);
      }
      return this.#post(body, request, reply);
    });
    const toolEvents = this.#toolEvents;
    if (toolEvents === undefined) return;
    fastify.post('/sse', QUIET, async (request, reply) => {
      const body = parseBody(request, this.#mount.options);
      if (body instanceof Unreadable) return refuse(reply, body.refusal);
      if (!isToolCall(body)) return refuse(reply, refusals.wrongMethod('GET'));
      return toolEvents.call(body, request, reply);
    });
  }

  async #listen(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { resume } = request.query as { resume?: unknown };
    if (resume !== undefined && (typeof resume !== 'string' || !RESUME_KEY.test(resume))) {
      return refuse(reply, refusals.BAD_RESUME_KEY);
    }
    let resumable: Resumable | undefined;
    try {
      resumable = await this.#resumable(request, resume);
    } catch (error) {
      // After an error status, a standard EventSource would not come back.
      request.log.error(error, 'what a client missed could not be read');
      new EventStream(reply, this.#mount.events).end();
      return reply;
    }
    try {
      const session = resumable?.session ?? (await this.#open(request, reply, resume));
      if (isRefusal(session)) return refuse(reply, session);
      await this.#stream(request, reply, resumable ?? { session, after: 0 });
      return reply;
    } catch (error) {
      request.log.error(error, 'the server of a session could not be made');
      return reply.sent ? reply : refuse(reply, refusals.NO_SERVER);
    }
  }

  async #open(
    request: FastifyRequest,
    reply: FastifyReply,
    resumeKey: string | undefined,
  ): Promise<Session | refusals.Refusal> {
    const principal = this.#mount.principalOf(request);
    const response = reply.raw;
    const opening = { transport: 'sse', principal, request, response, resumeKey } as const;
    const session = await this.#mount.sessions.open(opening);
    if (!isRefusal(session)) this.#toolEvents?.serve(session);
    return session;
  }

  /**
   * The session that a client comes back to: by its cursor, which names the session, or by its key.
   * What it cannot resume is left alone; such a client gets a new session, and never an error.
   */
  async #resumable(
    request: FastifyRequest,
    resumeKey: string | undefined,
  ): Promise<Resumable | undefined> {
    const { sessions } = this.#mount;
    const principal = this.#mount.principalOf(request);
    const cursor = cursorOf(request);
    const byCursor = cursor === undefined ? undefined : sessions.find(cursor.id, principal);
    if (byCursor?.record.transport === 'sse' && cursor !== undefined) {
      const { isComplete } = await byCursor.streams.missed(cursor.seq, MAIN_STREAM);
      if (isComplete) return { session: byCursor, after: cursor.seq };
      await byCursor.end('abandoned');
      return undefined;
    }
    if (resumeKey === undefined) return undefined;
    const session = await sessions.findByResume(resumeKey, principal, request);
    return session instanceof Session ? { session, after: undefined } : undefined;
  }

  async #stream(
    request: FastifyRequest,
    reply: FastifyReply,
    { session, after }: Resumable,
  ): Promise<void> {
    // The session uses the connection until it ends; the connection must not be reused afterwards.
    reply.raw.shouldKeepAlive = false;
    const stream = new EventStream(reply, this.#mount.events);
    const idOf = (seq: number): string => `${session.id}.${seq}`;
    const sink = new StreamSink(stream, ({ seq }) => idOf(seq));
    stream.onclose = () => session.streams.detach(MAIN_STREAM, sink);
    // "When a client connects, the server MUST send an endpoint event containing a URI for the
    // client to use for sending messages."
    // https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
    const key = this.#toolEvents === undefined ? 'sessionId' : 'session_id';
    const endpoint = `${messagesPath(request)}?${key}=${session.id}`;
    void stream.send(encodeEvent('endpoint', endpoint, idOf(after ?? 0)));
    await session.streams.resume(MAIN_STREAM, sink, after);
    this.#toolEvents?.announce(session, stream);
  }

  #post(body: unknown, request: FastifyRequest, reply: FastifyReply): MaybePromise<FastifyReply> {
    const session = sessionOf(request, this.#mount);
    if (isRefusal(session)) return refuse(reply, session);
    const message = parseMessage(body);
    if (!message) return refuse(reply, refusals.NOT_JSON_RPC);
    const id = isRequest(message) ? message.id : null;
    const refusal = this.#take(session, message, request);
    return refusal instanceof Promise
      ? refusal.then((known) => accepted(reply, known, id))
      : accepted(reply, refusal, id);
  }

  #take(
    session: Session,
    message: JSONRPCMessage,
    request: FastifyRequest,
  ): MaybePromise<refusals.Refusal | undefined> {
    const extra = this.#extraOf(session, request);
    this.#toolEvents?.noteIncoming(session, message);
    if (!isRequest(message)) {
      session.receive(message, extra);
      return undefined;
    }
    const digest = digestOf(String(request.body));
    const known = session.requests.get(message.id);
    if (known?.digest === digest) return answerAgain(session, known);
    const call = new ClientCall(session.received(message), {
      principal: this.#mount.principalOf(request),
      transport: 'sse',
      sessionId: session.id,
      protocolVersion: session.protocolVersion,
      request,
    });
    const running: RunningRequest = { call, digest, stream: MAIN_STREAM };
    const run = (refusal: refusals.Refusal | undefined): refusals.Refusal | undefined => {
      if (refusal === undefined) session.run(message, running, extra);
      return refusal;
    };
    const refusal = admit(session, running, this.#mount);
    return refusal instanceof Promise ? refusal.then(run) : run(refusal);
  }

  #extraOf(session: Session, request: FastifyRequest): MessageExtraInfo {
    const { authInfo } = this.#mount.principalOf(request);
    return {
      request: IncomingRequest.from(request, session),
      ...(authInfo !== undefined && { authInfo }),
    };
  }
}

/** Sends the answer to a repeated request once more; one that runs will be answered anyway. */
async function answerAgain(
  session: Session,
  known: RunningRequest | AnsweredRequest,
): Promise<refusals.Refusal | undefined> {
  if (known.answeredAt === undefined) return known.admission;
  const answer = await session.answerTo(known);
  if (answer === undefined) return refusals.ANSWER_GONE;
  session.streams.sendAgain(answer);
  return undefined;
}

function accepted(
  reply: FastifyReply,
  refusal: refusals.Refusal | undefined,
  id: RequestId | null,
): FastifyReply {
  if (refusal !== undefined) return refuse(reply, refusal, id);
  return reply.code(202).type('text/plain; charset=utf-8').send('Accepted');
}

/** The session that a POST is for, by the id in its query. */
function sessionOf(request: FastifyRequest, mount: Mount): Session | refusals.Refusal {
  const { sessionId, session_id } = request.query as Record<string, unknown>;
  if (sessionId !== undefined && session_id !== undefined && sessionId !== session_id) {
    return refusals.TWO_SESSION_IDS;
  }
  const id = sessionId ?? session_id;
  if (typeof id !== 'string') return refusals.NO_SESSION_ID;
  const session = mount.sessions.find(id, mount.principalOf(request));
  return session?.record.transport === 'sse' ? session : refusals.UNKNOWN_SESSION;
}

/** The session and the place that `Last-Event-ID` names. */
function cursorOf({ headers }: FastifyRequest): { id: string; seq: number } | undefined {
  const match = /^([\w-]{32})\.(\d{1,15})$/.exec(String(headers['last-event-id'] ?? ''));
  return match?.[1] === undefined ? undefined : { id: match[1], seq: Number(match[2]) };
}

/**
 * The path of `POST /messages` as this client reaches it: the path of its `GET` with another last
 * segment. The mount's prefix may have parameters, and the application may rewrite paths. What a proxy
 * removed from the front comes again.
 */
function messagesPath(request: FastifyRequest): string {
  const path = requestPath(request);
  const folder = path.slice(0, path.lastIndexOf('/', path.length - 2) + 1);
  return `${forwardedPrefix(request)}${folder}messages`;
}
