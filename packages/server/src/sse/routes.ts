import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Listening, PostOutcome, SessionHandle } from '../cluster/session-handle.js';
import { EventStream, encodeEvent } from '../events/event-stream.js';
import { StreamSink } from '../events/stream-sink.js';
import { parseBody, parseMessage, Unreadable } from '../http/messages.js';
import { QUIET } from '../http/quiet.js';
import { forwardedPrefix, requestPath } from '../request-path.js';
import type { Mount } from '../mount.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import { isRefusal, refuse } from '../refusal.js';
import { digestOf } from '../sessions/admission.js';
import { MAIN_STREAM } from '../sessions/session-streams.js';
import type { Session } from '../sessions/session.js';
import { isToolCall } from '../tool-events/tool-call.js';
import { ToolEvents } from '../tool-events/tool-events.js';

/** At least 128 bits, as 22 characters of base64 are. */
const RESUME_KEY = /^[A-Za-z0-9_~.-]{22,256}$/;

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
    if (!mount.options.toolEvents) return;
    const toolEvents = new ToolEvents(mount);
    mount.handles.eventCalls = toolEvents;
    this.#toolEvents = toolEvents;
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
        return this.#toolEvents.answer(body, request, reply);
      }
      return this.#post(body, request, reply);
    });
    const toolEvents = this.#toolEvents;
    if (toolEvents === undefined) return;
    fastify.post('/sse', QUIET, async (request, reply) => {
      const body = parseBody(request, this.#mount.options);
      if (body instanceof Unreadable) return refuse(reply, body.refusal);
      if (!isToolCall(body)) return refuse(reply, refusals.wrongMethod('GET'));
      return toolEvents.answer(body, request, reply);
    });
  }

  async #listen(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { resume } = request.query as { resume?: unknown };
    if (resume !== undefined && (typeof resume !== 'string' || !RESUME_KEY.test(resume))) {
      return refuse(reply, refusals.BAD_RESUME_KEY);
    }
    try {
      if (await this.#resume(request, reply, resume)) return reply;
    } catch (error) {
      // After an error status, a standard EventSource would not come back.
      request.log.error(error, 'what a client missed could not be read');
      if (!reply.sent) new EventStream(reply, this.#mount.events).end();
      return reply;
    }
    try {
      const session = await this.#open(request, reply, resume);
      if (isRefusal(session)) return refuse(reply, session);
      await this.#stream(request, reply, { session: this.#mount.handles.of(session), after: 0 });
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
   * Goes on with the session that a client comes back to: by its cursor, which names the session, or by
   * its key. What it cannot resume is left alone; such a client gets a new session, and never an error.
   */
  async #resume(
    request: FastifyRequest,
    reply: FastifyReply,
    resumeKey: string | undefined,
  ): Promise<boolean> {
    const { handles } = this.#mount;
    const principal = this.#mount.principalOf(request);
    const cursor = cursorOf(request);
    const byCursor =
      cursor === undefined ? undefined : await handles.find(cursor.id, principal, request);
    if (byCursor?.transport === 'sse' && cursor !== undefined) {
      const after = cursor.seq;
      return this.#stream(request, reply, { session: byCursor, after, unless: 'incomplete' });
    }
    if (resumeKey === undefined) return false;
    const session = await handles.findByResume(resumeKey, principal, request);
    if (session === undefined) return false;
    return this.#stream(request, reply, { session, after: undefined });
  }

  async #stream(
    request: FastifyRequest,
    reply: FastifyReply,
    { session, ...from }: { session: SessionHandle } & Pick<Listening, 'after' | 'unless'>,
  ): Promise<boolean> {
    const idOf = (seq: number): string => `${session.id}.${seq}`;
    const opened: { announce?: (() => void) | undefined } = {};
    const isOpen = await session.listen({
      ...from,
      stream: MAIN_STREAM,
      open: () => {
        // The session uses the connection until it ends; the connection must not be reused afterwards.
        reply.raw.shouldKeepAlive = false;
        const stream = new EventStream(reply, this.#mount.events);
        const announcing = this.#toolEvents?.announcing(session, stream);
        const sink = new StreamSink(stream, ({ seq }) => idOf(seq), announcing?.sent);
        stream.onclose = () => session.detach(MAIN_STREAM, sink);
        // "When a client connects, the server MUST send an endpoint event containing a URI for the
        // client to use for sending messages."
        // https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
        const key = this.#toolEvents === undefined ? 'sessionId' : 'session_id';
        const endpoint = `${messagesPath(request)}?${key}=${session.id}`;
        void stream.send(encodeEvent('endpoint', endpoint, idOf(from.after ?? 0)));
        opened.announce = announcing?.begin;
        return sink;
      },
    });
    opened.announce?.();
    return isOpen;
  }

  #post(body: unknown, request: FastifyRequest, reply: FastifyReply): MaybePromise<FastifyReply> {
    const principal = this.#mount.principalOf(request);
    const id = sessionIdOf(request);
    if (typeof id !== 'string') return refuse(reply, id);
    const take = (session: SessionHandle | undefined): MaybePromise<FastifyReply> => {
      if (session?.transport !== 'sse') return refuse(reply, refusals.UNKNOWN_SESSION);
      const message = parseMessage(body);
      if (!message) return refuse(reply, refusals.NOT_JSON_RPC);
      const outcome = session.post({
        request,
        principal,
        messages: [message],
        isBatch: false,
        digestOf: () => digestOf(String(request.body)),
        canReturn: false,
      });
      return outcome instanceof Promise
        ? outcome.then((known) => answer(reply, known))
        : answer(reply, outcome);
    };
    const session = this.#mount.handles.find(id, principal, request);
    return session instanceof Promise ? session.then(take) : take(session);
  }
}

function answer(reply: FastifyReply, outcome: PostOutcome): FastifyReply {
  if (typeof outcome !== 'string') return refuse(reply, outcome.refusal, outcome.id);
  return reply.code(202).type('text/plain; charset=utf-8').send('Accepted');
}

/** The id of the session that a POST is for, in its query. */
function sessionIdOf(request: FastifyRequest): string | refusals.Refusal {
  const { sessionId, session_id } = request.query as Record<string, unknown>;
  if (sessionId !== undefined && session_id !== undefined && sessionId !== session_id) {
    return refusals.TWO_SESSION_IDS;
  }
  const id = sessionId ?? session_id;
  return typeof id === 'string' ? id : refusals.NO_SESSION_ID;
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
