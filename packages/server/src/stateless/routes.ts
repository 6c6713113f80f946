import {
  McpServer,
  Server,
  createMcpHandler,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type McpHttpHandler,
  type McpRequestContext,
  type Transport,
} from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import type { CallGates } from '../calls/gates.js';
import type { EventStream, EventStreamOptions } from '../events/event-stream.js';
import { IncomingRequest } from '../http/incoming-request.js';
import { isRequest, parseMessage } from '../http/messages.js';
import type { TellNotification } from '../operate/observer.js';
import type { ResolvedOptions } from '../options.js';
import type { Principal } from '../principal.js';
import * as refusals from '../refusal.js';
import { RefusedError, errorOf, refuse, type Refusal } from '../refusal.js';
import { makeServer } from '../instances/make-server.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import { NO_SUBSCRIPTIONS } from '../cluster/sealed-refusals.js';
import { Exchange, type ExchangeHost } from './exchange.js';
import { IdleServers, type Served } from './idle-servers.js';
import { TaskCalls } from './task-calls.js';
import { TaskSubscriptions } from './task-subscriptions.js';
import { withExtension } from './task-results.js';

/** A mount, as far as these routes need it. */
export interface StatelessMount {
  readonly options: ResolvedOptions;
  readonly gates: CallGates;
  readonly events: EventStreamOptions;
  readonly notified: TellNotification | undefined;
  /** Missing where no tool has tasks. */
  readonly tasks: TaskEngine | undefined;
  principalOf(request: FastifyRequest): Principal;
  /** Told every server before it is connected. */
  watch(server: object): void;
}

const LISTEN = 'subscriptions/listen';
const DISCOVER = 'server/discover';

/** After so many messages a tool that tells without end waits until others had their turn. */
const MESSAGES_A_TURN = 256;

/**
 * The stateless protocol of 2026-07-28, by the SDK's handler: it makes a server for each request. What
 * the kit adds lies between the handler and the server (the gates), and between both and the client (the
 * response, written by an {@link Exchange}).
 *
 * @see https://modelcontextprotocol.io/specification/draft/basic/transports#streamable-http
 */
export class StatelessRoutes implements ExchangeHost {
  readonly events: EventStreamOptions;
  readonly #mount: StatelessMount;
  readonly #handler: McpHttpHandler;
  /** Has the subscriptions alone, because its handler ends all that it has, with their results. */
  readonly #subscriptions: McpHttpHandler;
  readonly #exchanges = new WeakMap<Request, Exchange>();
  readonly #idle = new IdleServers<Exchange>();
  readonly #tasks: TaskCalls | undefined;
  readonly #taskSubscriptions: TaskSubscriptions | undefined;
  /** Those without an answer. */
  readonly #running = new Set<Exchange>();
  /** Those of subscriptions, which have no end to wait for. */
  readonly #listening = new Set<Exchange>();
  #streams = 0;
  #takesSubscriptions = true;
  #isClosed = false;

  constructor(mount: StatelessMount) {
    this.#mount = mount;
    this.events = mount.events;
    this.#tasks = mount.tasks && new TaskCalls(mount.tasks);
    const { stores, maxSubscriptions } = mount.options;
    this.#taskSubscriptions = mount.tasks && new TaskSubscriptions(mount.tasks, maxSubscriptions);
    const handler = (): McpHttpHandler =>
      createMcpHandler((context) => this.#create(context), {
        legacy: 'reject',
        bus: stores.bus,
        maxSubscriptions,
        // The mount's heartbeats do that.
        keepAliveMs: 0,
        onerror: (error) => mount.options.log?.debug(error, 'a stateless request was refused'),
      });
    this.#handler = handler();
    this.#subscriptions = handler();
  }

  /** Calls without an answer. */
  get running(): number {
    return this.#running.size;
  }

  /** Open event streams. */
  get streams(): number {
    return this.#streams;
  }

  /** Answers a POST whose body is not of the versions with sessions. */
  async post(request: FastifyRequest, reply: FastifyReply, body: unknown): Promise<FastifyReply> {
    const principal = this.#mount.principalOf(request);
    const message = parseMessage(body);
    const call =
      message !== undefined && isRequest(message) ? this.#callOf(message, request) : undefined;
    const known = call === undefined ? undefined : await this.#mount.gates.admit(call);
    const refusal = known ?? this.#refusalOf(call);
    if (refusal !== undefined) {
      if (call !== undefined) this.#mount.gates.leave(call, { kind: 'refused', refusal });
      return refuse(reply, refusal, call?.id);
    }
    if (reply.raw.destroyed) {
      // The client left while the gates were asked.
      if (call !== undefined) this.#mount.gates.leave(call, { kind: 'cancelled' });
      reply.hijack();
      return reply;
    }
    const exchange = new Exchange(reply, { call, host: this });
    const incoming = IncomingRequest.from(request, exchange);
    this.#exchanges.set(incoming, exchange);
    const isListening = call?.method === LISTEN;
    if (call !== undefined) (isListening ? this.#listening : this.#running).add(exchange);
    const { authInfo } = principal;
    const handler = isListening ? this.#subscriptions : this.#handler;
    const response = await handler.fetch(incoming, {
      parsedBody: body,
      ...(authInfo !== undefined && { authInfo }),
    });
    const { noServer } = exchange;
    if (noServer !== undefined) exchange.refuseAsError(noServer);
    // The SDK's sign that the server closed without an answer.
    else if (response.status === 499) exchange.fail(refusals.CLOSED_EARLY);
    else if (!exchange.isOver) {
      const completed = await this.#completed(response, exchange);
      if (!exchange.isOver) await exchange.respond(completed);
    }
    exchange.abandon();
    return reply;
  }

  ended(exchange: Exchange, outcome: CallOutcome): void {
    this.#running.delete(exchange);
    this.#listening.delete(exchange);
    const { call, isHandedOver } = exchange;
    if (call !== undefined && !isHandedOver) this.#mount.gates.leave(call, outcome);
  }

  streaming(stream: EventStream): void {
    this.#streams++;
    stream.onclose = () => {
      this.#streams--;
    };
  }

  /** Ends the subscriptions, each with its result, and takes no more. */
  endSubscriptions(): void {
    this.#takesSubscriptions = false;
    void this.#subscriptions.close();
    this.#taskSubscriptions?.end();
    // Those that wait for a server.
    for (const exchange of this.#listening) {
      if (!exchange.isStreaming) exchange.refuse(refusals.STOPPING);
    }
  }

  /** Cuts the subscriptions of these principals. */
  endSubscriptionsOf(isOf: (principal: Principal) => boolean): void {
    for (const exchange of this.#listening) {
      if (isOf(this.#mount.principalOf(exchange.request))) exchange.cut();
    }
  }

  /** Answers what runs with an error, and aborts it. */
  cancelAll(): void {
    for (const exchange of this.#running) exchange.fail(refusals.CUT_BY_STOP);
  }

  /** Ends everything, and takes nothing more. What runs is cut: its client may know that it is safe to repeat. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.endSubscriptions();
    for (const exchange of this.#running) {
      if (exchange.hasServer) exchange.cut();
      else exchange.refuse(refusals.STOPPING);
    }
    await this.#handler.close();
  }

  /** What the SDK's handler answers, with what the kit adds to a subscription. */
  async #completed(response: Response, exchange: Exchange): Promise<Response> {
    const { call, signal } = exchange;
    if (call?.method !== LISTEN || this.#taskSubscriptions === undefined) return response;
    return this.#taskSubscriptions.complete(response, { call, signal });
  }

  #refusalOf(call: ClientCall | undefined): Refusal | undefined {
    if (call?.method === LISTEN && this.#mount.options.cluster?.node.sealing)
      return NO_SUBSCRIPTIONS;
    const isRefused = this.#isClosed || (call?.method === LISTEN && !this.#takesSubscriptions);
    return isRefused ? refusals.STOPPING : undefined;
  }

  async #create({ requestInfo }: McpRequestContext): Promise<McpServer | Server> {
    const { reuseServers } = this.#mount.options;
    const exchange = requestInfo === undefined ? undefined : this.#exchanges.get(requestInfo);
    if (exchange === undefined) throw new Error('the request is not known');
    const { call } = exchange;
    if (call !== undefined && this.#tasks !== undefined) {
      const refusal = this.#tasks.refusalOf(call);
      if (refusal !== undefined) {
        exchange.noServer = refusal;
        throw new RefusedError(refusal);
      }
      const answering = this.#tasks.answering(exchange, call);
      if (answering !== undefined) return this.#serve(answering, () => exchange);
      const running = this.#tasks.running(exchange, call);
      const task = running && (await this.#unlessFailed(exchange, () => running));
      if (task !== undefined) return task;
    }
    // A subscription only asks a server what it can do.
    const mayReuse = reuseServers && call !== undefined && call.method !== LISTEN;
    const idle = mayReuse ? this.#idle.take(exchange) : undefined;
    if (idle !== undefined) return idle;
    const served = await this.#unlessFailed(exchange, () => this.#make(exchange));
    if (mayReuse) this.#idle.keep(served, ({ isServed }) => isServed);
    return this.#serve(served.server, () => served.exchange);
  }

  /** Guards what passes between a server and its client. */
  #serve(server: McpServer | Server, exchangeOf: () => Exchange): McpServer | Server {
    const connect = server.connect.bind(server);
    server.connect = async (transport) => {
      await this.#unlessFailed(exchangeOf(), () => connect(transport));
      this.#guard(transport, exchangeOf());
    };
    return server;
  }

  async #make(exchange: Exchange): Promise<Served<Exchange>> {
    const { create, createTimeoutMs, requestStates } = this.#mount.options;
    const { request, signal } = exchange;
    const principalOf = ({ request: own }: Exchange): Principal => this.#mount.principalOf(own);
    let served: Served<Exchange> | undefined;
    const context = {
      principal: principalOf(exchange),
      headers: request.headers,
      sessionId: undefined,
      signal,
      era: 'modern',
      requestState: requestStates(() => principalOf(served?.exchange ?? exchange).id),
    } as const;
    const making = { signal, timeoutMs: createTimeoutMs, log: request.log };
    const server = await makeServer(() => create(context), making);
    if (!(server instanceof McpServer || server instanceof Server)) {
      // SDK 1.x and a gateway know sessions only. Of another copy of SDK 2, the handler takes nothing either.
      await server.close();
      const isProbe = exchange.call?.method === DISCOVER;
      throw new RefusedError(isProbe ? refusals.NO_DISCOVERY : refusals.ONLY_SESSIONS);
    }
    this.#mount.watch(server);
    return (served = { server, exchange });
  }

  /** Notes that there is no server, if making it fails while somebody waits for it. */
  async #unlessFailed<Made>(exchange: Exchange, make: () => Promise<Made>): Promise<Made> {
    try {
      return await make();
    } catch (error) {
      if (error instanceof RefusedError) exchange.noServer = error.refusal;
      else if (!exchange.signal.aborted) {
        exchange.request.log.error(error, 'the server of a request could not be made');
        exchange.noServer = refusals.NO_SERVER;
      }
      throw error;
    }
  }

  /** Puts the gates between a transport and its server, and the exchange between it and the client. */
  #guard(transport: Transport, exchange: Exchange): void {
    const { call } = exchange;
    const { onmessage } = transport;
    if (call === undefined || onmessage === undefined) return;
    exchange.hasServer = true;
    const send = transport.send.bind(transport);
    let told = 0;
    transport.send = async (sent, options) => {
      const message = this.#withKitCapabilities(sent, call);
      if ('method' in message) {
        // What belongs to no request goes nowhere.
        if (options?.relatedRequestId !== call.id) return send(message, options);
        this.#mount.notified?.(message, call);
        await exchange.tell(message);
        if (++told % MESSAGES_A_TURN === 0) await nextTurn();
        return undefined;
      }
      if (message.id !== call.id) return send(message, options);
      exchange.isServed = true;
      if ('error' in message && !exchange.isStreaming) {
        try {
          // The SDK knows the HTTP status of an error.
          return await send(message, options);
        } catch {
          // It is no JSON.
        }
      }
      exchange.answer(message);
      queueMicrotask(() => void transport.close());
      return undefined;
    };
    call.notify = (method, params) => {
      void transport.send({ jsonrpc: '2.0', method, params }, { relatedRequestId: call.id });
    };
    transport.onmessage = (message, extra) => {
      this.#mount.gates.pass(
        call,
        () => {
          // Nothing that was cancelled while it waited reaches the server.
          if (!exchange.isOver) onmessage(message, extra);
        },
        (refusal) => {
          void transport.send({ jsonrpc: '2.0', id: call.id, error: errorOf(refusal) });
        },
      );
    };
  }

  #withKitCapabilities(message: JSONRPCMessage, { method }: ClientCall): JSONRPCMessage {
    if (this.#tasks === undefined || method !== DISCOVER || !('result' in message)) return message;
    return { ...message, result: withExtension(message.result) };
  }

  #callOf(message: JSONRPCRequest, request: FastifyRequest): ClientCall {
    const { headers } = request;
    const version = headers['mcp-protocol-version'];
    this.#tasks?.nameTask(message, headers);
    return new ClientCall(this.#tasks?.received(message) ?? message, {
      principal: this.#mount.principalOf(request),
      transport: 'stateless',
      protocolVersion: typeof version === 'string' ? version : undefined,
      request,
    });
  }
}
