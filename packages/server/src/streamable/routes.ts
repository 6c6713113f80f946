import {
  SUPPORTED_PROTOCOL_VERSIONS,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SessionHandle } from '../cluster/session-handle.js';
import { EventStream } from '../events/event-stream.js';
import { StreamSink } from '../events/stream-sink.js';
import { isRequest, parseMessages } from '../http/messages.js';
import { QUIET } from '../http/quiet.js';
import type { Mount } from '../mount.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import { isRefusal, refuse } from '../refusal.js';
import { digestOf } from '../sessions/admission.js';
import { MAIN_STREAM } from '../sessions/session-streams.js';
import { PostResponse, eventIdOf, parseEventId, primingEvent } from './post-response.js';

/** From this version on, clients know events without data. */
const PRIMED_SINCE = '2025-11-25';
/** What a client without the header speaks, by the specification. */
const OLDEST = '2025-03-26';

/** What a POST brought. */
interface PostedHere {
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
    const initialize = messages
      .filter((message) => isRequest(message))
      .find(({ method }) => method === 'initialize');
    if (initialize !== undefined && messages.length > 1) {
      return refuse(reply, refusals.INITIALIZE_ALONE);
    }
    const id = request.headers['mcp-session-id'];
    if (id === undefined && initialize !== undefined) return this.#open(posted, initialize);
    const found = this.#sessionOf(request);
    const session = found instanceof Promise ? await found : found;
    if (isRefusal(session)) return refuse(reply, session);
    return this.#take(session, posted);
  }

  async #open(posted: PostedHere, initialize: JSONRPCRequest): Promise<FastifyReply> {
    const { request, reply } = posted;
    try {
      const session = await this.#mount.sessions.open({
        transport: 'streamable-http',
        principal: this.#mount.principalOf(request),
        request,
        response: reply.raw,
        initialize,
      });
      if (isRefusal(session)) return refuse(reply, session);
      const answered = await this.#take(this.#mount.handles.of(session), posted);
      // It was refused: nobody has learnt the id of the session.
      const isUsed = session.requests.running > 0 || session.record.initialize !== undefined;
      if (!isUsed) await session.end('failed');
      return answered;
    } catch (error) {
      request.log.error(error, 'the server of a session could not be made');
      return reply.sent ? reply : refuse(reply, refusals.NO_SERVER);
    }
  }

  async #take(session: SessionHandle, posted: PostedHere): Promise<FastifyReply> {
    const { request, reply, messages, isBatch, accepts } = posted;
    const isResumable = this.#mount.cluster?.node.sealing === undefined;
    const isPrimed = isResumable && versionOf(session, request, messages) >= PRIMED_SINCE;
    const taken = session.post({
      request,
      principal: this.#mount.principalOf(request),
      messages,
      isBatch,
      digestOf: (message) => digestOf(isBatch ? JSON.stringify(message) : posted.body),
      answer: (stream, hasMany) =>
        new PostResponse(reply, {
          stream,
          headers: headersOf(session),
          events: this.#mount.events,
          accepts,
          isBatch: hasMany,
          isResumable,
          isPrimed,
          onGone: (sink) => session.detach(stream, sink),
        }),
      // Other clients could not come back for the answer.
      canReturn: isPrimed && accepts.events,
    });
    const outcome = taken instanceof Promise ? await taken : taken;
    if (outcome === 'answered') return reply;
    if (outcome === 'accepted') return reply.code(202).send();
    return refuse(reply, outcome.refusal, outcome.id);
  }

  /** The stream for what answers no request, or one that is resumed. */
  async #listen(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!acceptedBy(request).events) return refuse(reply, refusals.NOT_ACCEPTABLE);
    const session = await this.#sessionOf(request);
    if (isRefusal(session)) return refuse(reply, session);
    const cursor = parseEventId(String(request.headers['last-event-id'] ?? ''));
    const stream = cursor?.stream ?? MAIN_STREAM;
    const isPrimed = versionOf(session, request) >= PRIMED_SINCE;
    const isOpen = await session.listen({
      stream,
      after: cursor?.seq,
      unless: 'over',
      open: (seq) => {
        reply.raw.shouldKeepAlive = false;
        const events = new EventStream(reply, this.#mount.events, headersOf(session));
        const sink = new StreamSink(events, (event) => eventIdOf(stream, event.seq));
        events.onclose = () => session.detach(stream, sink);
        // Also where it is resumed: the official client 1.x forgets its cursor with each connection.
        if (isPrimed) void events.send(primingEvent(stream, cursor?.seq ?? seq));
        return sink;
      },
    });
    // "A client can be told to stop reconnecting using the HTTP 204 No Content response code." Else the
    // official client would resume a call that it cancelled again and again.
    // https://html.spec.whatwg.org/multipage/server-sent-events.html
    return isOpen ? reply : reply.code(204).send();
  }

  async #delete(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = await this.#sessionOf(request);
    if (isRefusal(session)) return refuse(reply, session);
    await session.end();
    return reply.code(200).send();
  }

  #sessionOf(request: FastifyRequest): MaybePromise<SessionHandle | refusals.Refusal> {
    const { 'mcp-session-id': id, 'mcp-protocol-version': version } = request.headers;
    if (typeof id !== 'string' || id === '') return refusals.NO_SESSION_HEADER;
    const known = (session: SessionHandle | undefined): SessionHandle | refusals.Refusal => {
      if (session?.transport !== 'streamable-http') return refusals.SESSION_NOT_FOUND;
      if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) {
        return refusals.unsupportedVersion(String(version), SUPPORTED_PROTOCOL_VERSIONS);
      }
      return session;
    };
    const found = this.#mount.handles.find(id, this.#mount.principalOf(request), request);
    return found instanceof Promise ? found.then(known) : known(found);
  }
}

function headersOf({ id }: SessionHandle): Readonly<Record<string, string>> {
  return { 'mcp-session-id': id };
}

function versionOf(
  session: SessionHandle,
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
