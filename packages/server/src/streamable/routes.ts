import {
  SUPPORTED_PROTOCOL_VERSIONS,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  type RequestId,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EventStream } from '../events/event-stream.js';
import { StreamSink } from '../events/stream-sink.js';
import { ClientCall } from '../calls/client-call.js';
import { IncomingRequest } from '../http/incoming-request.js';
import { isRequest, parseMessages } from '../http/messages.js';
import type { Mount } from '../mount.js';
import * as refusals from '../refusal.js';
import { isRefusal, refuse } from '../refusal.js';
import type { AnsweredRequest, RunningRequest } from '../sessions/accepted-requests.js';
import { admit, digestOf } from '../sessions/admission.js';
import { MAIN_STREAM, goneAnswer } from '../sessions/session-streams.js';
import type { Session } from '../sessions/session.js';
import { QUIET } from '../http/quiet.js';
import {
  PostResponse,
  eventIdOf,
  parseEventId,
  primingEvent,
  type PostResponseOptions,
} from './post-response.js';

/** From this version on, clients know events without data. */
const PRIMED_SINCE = '2025-11-25';
/** What a client without the header speaks, by the specification. */
const OLDEST = '2025-03-26';

/** What a POST brought. */
interface Posted {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly body: string;
  readonly messages: readonly JSONRPCMessage[];
  readonly isBatch: boolean;
  /** What its client takes. */
  readonly accepts: ReturnType<typeof acceptedBy>;
}

/**
 * Streamable HTTP with sessions, for the versions of 2025.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export class StreamableRoutes {
  readonly #mount: Mount;

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  /** Adds GET and DELETE; a POST comes by `post`, once it is known that it is of these versions. */
  register(fastify: FastifyInstance): void {
    fastify.get('/mcp', { ...QUIET, exposeHeadRoute: false }, async (request, reply) =>
      this.#listen(request, reply),
    );
    fastify.delete('/mcp', QUIET, async (request, reply) => this.#delete(request, reply));
  }

  /** Takes the messages of a POST. */
  async post(request: FastifyRequest, reply: FastifyReply, parsed: unknown): Promise<FastifyReply> {
    const messages = parseMessages(parsed);
    if (messages === undefined) return refuse(reply, refusals.NOT_JSON_RPC);
    const body = String(request.body);
    const accepts = acceptedBy(request);
    const posted = { request, reply, body, messages, isBatch: Array.isArray(parsed), accepts };
    if (!accepts.json && !accepts.events) return refuse(reply, refusals.NOT_ACCEPTABLE);
    const initialize = messages.find(
      (message) => isRequest(message) && message.method === 'initialize',
    );
    if (initialize !== undefined && messages.length > 1) {
      return refuse(reply, refusals.INITIALIZE_ALONE);
    }
    const id = request.headers['mcp-session-id'];
    if (id === undefined && initialize !== undefined) return this.#open(posted);
    const session = this.#sessionOf(request);
    if (isRefusal(session)) return refuse(reply, session);
    return this.#take(session, posted);
  }

  async #open(posted: Posted): Promise<FastifyReply> {
    const { request, reply } = posted;
    try {
      const session = await this.#mount.sessions.open({
        transport: 'streamable-http',
        principal: this.#mount.principalOf(request),
        request,
        response: reply.raw,
      });
      if (isRefusal(session)) return refuse(reply, session);
      const answered = await this.#take(session, posted);
      // It was refused: nobody has learnt the id of the session.
      const isUsed = session.requests.running > 0 || session.record.initialize !== undefined;
      if (!isUsed) await session.end('failed');
      return answered;
    } catch (error) {
      request.log.error(error, 'the server of a session could not be made');
      return reply.sent ? reply : refuse(reply, refusals.NO_SERVER);
    }
  }

  async #take(session: Session, posted: Posted): Promise<FastifyReply> {
    const { request, reply, messages, isBatch } = posted;
    const requests = messages.filter((message) => isRequest(message));
    if (requests.length === 0) {
      for (const message of messages) session.receive(message, this.#extraOf(session, request));
      return reply.code(202).send();
    }
    if (isBatch && new Set(requests.map(({ id }) => id)).size < requests.length) {
      return refuse(reply, refusals.REPEATED_ID);
    }
    const stream = session.streams.next();
    const running: RunningRequest[] = [];
    const repeated: { id: RequestId; known: AnsweredRequest }[] = [];
    for (const message of requests) {
      const { id } = message;
      const digest = digestOf(isBatch ? JSON.stringify(message) : posted.body);
      const known = session.requests.get(id);
      if (known?.digest === digest) {
        if (!isBatch) return this.#repeat(session, known, { ...posted, id });
        if (known.answeredAt !== undefined) {
          repeated.push({ id, known });
          continue;
        }
      }
      const one = { call: this.#callOf(session, message, request), digest, stream };
      const asked = isInitializedAgain(session, message)
        ? refusals.ALREADY_INITIALIZED
        : admit(session, one, this.#mount);
      const refusal = asked instanceof Promise ? await asked : asked;
      if (refusal !== undefined) {
        for (const earlier of running) session.withdraw(earlier, refusal);
        return refuse(reply, refusal, id);
      }
      running.push(one);
    }
    const options = this.#responseOptions(session, posted, stream);
    const response = new PostResponse(reply, options);
    session.streams.attach(stream, response);
    for (const { id, known } of repeated) {
      const answer = (await session.answerTo(known)) ?? goneAnswer(id, known.answeredAt, stream);
      void response.send(answer);
    }
    // Other clients could not come back for the answer.
    const canReturn = options.isPrimed && options.accepts.events;
    const extra = this.#extraOf(session, request, canReturn ? () => response.close() : undefined);
    for (const message of messages) {
      if (!isRequest(message)) {
        session.receive(message, extra);
        continue;
      }
      const one = running.find(({ call }) => call.id === message.id);
      if (one !== undefined) session.run(message, one, extra);
    }
    if (running.length === 0) session.streams.complete(stream);
    return reply;
  }

  /** A request that was accepted before: it does not run again, and gets the first answer. */
  async #repeat(
    session: Session,
    known: RunningRequest | AnsweredRequest,
    posted: Posted & { id: RequestId },
  ): Promise<FastifyReply> {
    const { reply, id } = posted;
    if (known.answeredAt === undefined) {
      const refusal = await known.admission;
      if (refusal !== undefined) return refuse(reply, refusal, id);
    }
    const { requests } = session;
    const now = requests.get(id) ?? known;
    const options = this.#responseOptions(session, posted, now.stream);
    if (now.answeredAt === undefined) {
      const isBatch = requests.runningOn(now.stream) > 1;
      session.streams.attach(now.stream, new PostResponse(reply, { ...options, isBatch }));
      return reply;
    }
    const answer = await session.answerTo(now);
    if (answer === undefined) return refuse(reply, refusals.ANSWER_GONE, id);
    const response = new PostResponse(reply, options);
    void response.send(answer);
    response.complete();
    return reply;
  }

  /** The stream for what answers no request, or one that is resumed. */
  async #listen(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!acceptedBy(request).events) return refuse(reply, refusals.NOT_ACCEPTABLE);
    const session = this.#sessionOf(request);
    if (isRefusal(session)) return refuse(reply, session);
    const cursor = parseEventId(String(request.headers['last-event-id'] ?? ''));
    const stream = cursor?.stream ?? MAIN_STREAM;
    // "A client can be told to stop reconnecting using the HTTP 204 No Content response code." Else the
    // official client would resume a call that it cancelled again and again.
    // https://html.spec.whatwg.org/multipage/server-sent-events.html
    if (await session.streams.isOver(stream, cursor?.seq ?? 0)) return reply.code(204).send();
    reply.raw.shouldKeepAlive = false;
    const events = new EventStream(reply, this.#mount.events, headersOf(session));
    const sink = new StreamSink(events, ({ seq }) => eventIdOf(stream, seq));
    events.onclose = () => session.streams.detach(stream, sink);
    const isPrimed = cursor === undefined && versionOf(session, request) >= PRIMED_SINCE;
    if (isPrimed) void events.send(primingEvent(stream, session.streams.seq));
    await session.streams.resume(stream, sink, cursor?.seq);
    return reply;
  }

  async #delete(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = this.#sessionOf(request);
    if (isRefusal(session)) return refuse(reply, session);
    await session.end('deleted');
    return reply.code(200).send();
  }

  #sessionOf(request: FastifyRequest): Session | refusals.Refusal {
    const { 'mcp-session-id': id, 'mcp-protocol-version': version } = request.headers;
    if (typeof id !== 'string' || id === '') return refusals.NO_SESSION_HEADER;
    const session = this.#mount.sessions.find(id, this.#mount.principalOf(request));
    if (session?.record.transport !== 'streamable-http') return refusals.SESSION_NOT_FOUND;
    if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) {
      return refusals.unsupportedVersion(String(version), SUPPORTED_PROTOCOL_VERSIONS);
    }
    return session;
  }

  #callOf(session: Session, message: JSONRPCRequest, request: FastifyRequest): ClientCall {
    return new ClientCall(session.received(message), {
      principal: this.#mount.principalOf(request),
      transport: 'streamable-http',
      sessionId: session.id,
      protocolVersion: session.protocolVersion,
      request,
    });
  }

  #responseOptions(
    session: Session,
    { request, isBatch, messages, accepts }: Posted,
    stream: number,
  ): PostResponseOptions {
    return {
      stream,
      headers: headersOf(session),
      events: this.#mount.events,
      accepts,
      isBatch,
      isPrimed: versionOf(session, request, messages) >= PRIMED_SINCE,
      onGone: (sink) => session.streams.detach(stream, sink),
    };
  }

  #extraOf(session: Session, request: FastifyRequest, closeStream?: () => void): MessageExtraInfo {
    const { authInfo } = this.#mount.principalOf(request);
    return {
      request: IncomingRequest.from(request, session),
      ...(authInfo !== undefined && { authInfo }),
      ...(closeStream !== undefined && {
        closeSSEStream: closeStream,
        closeStandaloneSSEStream: () => session.streams.close(MAIN_STREAM),
      }),
    };
  }
}

/** Whether a handshake comes a second time; one that still runs is no repetition of this one. */
function isInitializedAgain({ record }: Session, { method }: JSONRPCRequest): boolean {
  return method === 'initialize' && record.initialize !== undefined;
}

function headersOf({ id }: Session): Readonly<Record<string, string>> {
  return { 'mcp-session-id': id };
}

function versionOf(
  session: Session,
  request: FastifyRequest,
  messages: readonly JSONRPCMessage[] = [],
): string {
  const [first] = messages;
  const asked = first !== undefined && isRequest(first) && first.method === 'initialize';
  const version = asked
    ? first.params?.['protocolVersion']
    : request.headers['mcp-protocol-version'];
  return typeof version === 'string' ? version : (session.protocolVersion ?? OLDEST);
}

/** What a client takes. Without an `Accept` header, everything. */
function acceptedBy({ headers: { accept } }: FastifyRequest): { json: boolean; events: boolean } {
  if (accept === undefined || accept.includes('*/*')) return { json: true, events: true };
  const wanted = accept.toLowerCase();
  return {
    json: wanted.includes('application/json') || wanted.includes('application/*'),
    events: wanted.includes('text/event-stream') || wanted.includes('text/*'),
  };
}
