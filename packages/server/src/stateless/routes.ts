import {
  createMcpHandler,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServer,
  type Server,
  type Transport,
} from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import { IncomingRequest } from '../http/incoming-request.js';
import { isRequest, parseMessage } from '../http/messages.js';
import type { Mount } from '../mount.js';
import { errorOf, refuse } from '../refusal.js';
import type { Principal } from '../principal.js';
import { IdleServers, type Served } from './idle-servers.js';

/** A request on its way through the SDK's handler. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly call: ClientCall | undefined;
  /** Whether the gates were told how the call ended. */
  isLeft: boolean;
  /** Whether the server said something before its answer, which makes the answer an event stream. */
  isStream: boolean;
  /** Whether the server has answered. */
  isEnded: boolean;
  /** Whether the answer is sent, past the SDK's handler. */
  isAnswered: boolean;
}

/**
 * The stateless protocol of 2026-07-28, by the SDK's handler: it makes a server for each request. What
 * the kit adds lies between the handler and the server: the gates.
 *
 * @see https://modelcontextprotocol.io/specification/draft/basic/transports#streamable-http
 */
export class StatelessRoutes {
  readonly #mount: Mount;
  readonly #handler: McpHttpHandler;
  readonly #exchanges = new WeakMap<Request, Exchange>();
  readonly #idle = new IdleServers<Exchange>();

  constructor(mount: Mount) {
    this.#mount = mount;
    const { stores, heartbeatMs, maxSubscriptions } = mount.options;
    this.#handler = createMcpHandler((context) => this.#create(context), {
      legacy: 'reject',
      bus: stores.bus,
      maxSubscriptions,
      keepAliveMs: heartbeatMs === Infinity ? 0 : heartbeatMs,
      onerror: (error) => mount.options.log?.debug(error, 'a stateless request was refused'),
    });
  }

  /** Answers a POST whose body is not of the versions with sessions. */
  async post(request: FastifyRequest, reply: FastifyReply, body: unknown): Promise<FastifyReply> {
    const principal = this.#mount.principalOf(request);
    const message = parseMessage(body);
    const call =
      message !== undefined && isRequest(message) ? this.#callOf(message, request) : undefined;
    if (call !== undefined) {
      const refusal = await this.#mount.gates.admit(call);
      if (refusal !== undefined) {
        this.#mount.gates.leave(call, { kind: 'refused', refusal });
        return refuse(reply, refusal, call.id);
      }
    }
    if (reply.raw.destroyed) {
      // The client left while the gates were asked.
      if (call !== undefined) this.#mount.gates.leave(call, { kind: 'cancelled' });
      reply.hijack();
      return reply;
    }
    const gone = new AbortController();
    const incoming = IncomingRequest.from(request, gone);
    const exchange: Exchange = {
      request,
      reply,
      call,
      isLeft: false,
      isStream: false,
      isEnded: false,
      isAnswered: false,
    };
    this.#exchanges.set(incoming, exchange);
    // A subscription has no end to wait for.
    const isCounted = call?.method !== 'subscriptions/listen';
    if (isCounted) this.#mount.stateless++;
    reply.raw.once('close', () => {
      if (isCounted) this.#mount.stateless--;
      if (!reply.raw.writableFinished) {
        call?.cancel();
        gone.abort();
      }
      this.#leave(exchange, { kind: 'cancelled' });
    });
    const { authInfo } = principal;
    const response = await this.#handler.fetch(incoming, {
      parsedBody: body,
      ...(authInfo !== undefined && { authInfo }),
    });
    return exchange.isAnswered ? reply : answer(reply, response);
  }

  /** Ends what is in flight. */
  async close(): Promise<void> {
    await this.#handler.close();
  }

  async #create({ requestInfo }: McpRequestContext): Promise<McpServer | Server> {
    const { create, requestStates, reuseServers } = this.#mount.options;
    const exchange = requestInfo === undefined ? undefined : this.#exchanges.get(requestInfo);
    if (exchange === undefined) throw new Error('the request is not known');
    const { call } = exchange;
    const mayReuse = reuseServers && call !== undefined;
    const idle = mayReuse ? this.#idle.take(exchange) : undefined;
    if (idle !== undefined) return idle;
    let served: Served<Exchange> | undefined;
    const principalOf = ({ request }: Exchange): Principal => this.#mount.principalOf(request);
    const server = (await create({
      principal: principalOf(exchange),
      headers: exchange.request.headers,
      sessionId: undefined,
      signal: (requestInfo as Request).signal,
      era: 'modern',
      requestState: requestStates(() => principalOf(served?.exchange ?? exchange).id),
    })) as McpServer | Server;
    this.#mount.watch(server);
    const connect = server.connect.bind(server);
    const kept: Served<Exchange> = (served = { server, exchange });
    server.connect = async (transport) => {
      await connect(transport);
      this.#guard(transport, kept.exchange);
    };
    if (mayReuse) this.#idle.keep(kept, ({ isEnded }) => isEnded);
    return server;
  }

  /** Puts the gates between a transport and its server. */
  #guard(transport: Transport, exchange: Exchange): void {
    const { call } = exchange;
    const { onmessage } = transport;
    if (call === undefined || onmessage === undefined) return;
    const send = transport.send.bind(transport);
    transport.send = async (message, options) => {
      if ('method' in message) {
        exchange.isStream ||= options?.relatedRequestId === call.id;
        return send(message, options);
      }
      exchange.isEnded = true;
      this.#leave(exchange, outcomeOf(message));
      if (!answerAtOnce(exchange, message)) return send(message, options);
      queueMicrotask(() => void transport.close());
      return undefined;
    };
    call.notify = (method, params) => {
      void transport.send({ jsonrpc: '2.0', method, params }, { relatedRequestId: call.id });
    };
    transport.onmessage = (message, extra) => {
      this.#mount.gates.pass(
        call,
        () => onmessage(message, extra),
        (refusal) => {
          void transport.send({ jsonrpc: '2.0', id: call.id, error: errorOf(refusal) });
        },
      );
    };
  }

  #leave(exchange: Exchange, outcome: CallOutcome): void {
    if (exchange.isLeft || exchange.call === undefined) return;
    exchange.isLeft = true;
    this.#mount.gates.leave(exchange.call, outcome);
  }

  #callOf(message: JSONRPCRequest, request: FastifyRequest): ClientCall {
    const version = request.headers['mcp-protocol-version'];
    return new ClientCall(message, {
      principal: this.#mount.principalOf(request),
      transport: 'stateless',
      protocolVersion: typeof version === 'string' ? version : undefined,
      request,
    });
  }
}

function outcomeOf(message: JSONRPCMessage): CallOutcome {
  if ('error' in message) return { kind: 'error', error: message.error };
  return 'result' in message ? { kind: 'result', result: message.result } : { kind: 'cancelled' };
}

/**
 * Sends a result as the one JSON body that the SDK would make of it, without a `Response` in between.
 * Errors, whose status the SDK knows, and event streams are left to it.
 */
function answerAtOnce(exchange: Exchange, message: JSONRPCMessage): boolean {
  const { reply, call, isStream, isAnswered } = exchange;
  if (!('result' in message) || message.id !== call?.id || isStream || isAnswered) return false;
  if (reply.sent || reply.raw.destroyed) return false;
  const body = textOf(message);
  if (body === undefined) return false;
  exchange.isAnswered = true;
  void reply.code(200).header('content-type', 'application/json').send(body);
  return true;
}

function textOf(message: JSONRPCMessage): string | undefined {
  try {
    return JSON.stringify(message);
  } catch {
    return undefined;
  }
}

/** Sends what the handler answers. */
async function answer(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  const headers = Object.fromEntries(response.headers);
  const type = headers['content-type'] ?? '';
  if (response.status === 499) {
    reply.hijack();
    reply.raw.destroy();
    return reply;
  }
  if (response.body === null) return reply.code(response.status).headers(headers).send();
  if (!type.startsWith('text/event-stream')) {
    return reply
      .code(response.status)
      .headers(headers)
      .send(await response.text());
  }
  reply.hijack();
  reply.raw.writeHead(response.status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...headers,
  });
  reply.raw.flushHeaders();
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on('error', () => reply.raw.destroy());
  reply.raw.on('error', () => {});
  reply.raw.once('close', () => body.destroy());
  body.pipe(reply.raw);
  return reply;
}
