import { AsyncResource } from 'node:async_hooks';
import {
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type RequestId,
  type Result,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { checkHeaders } from '../http/headers.js';
import { isAnswer } from '../channels/message.js';
import { ServerError, type LongwireError } from '../errors.js';
import { learnTarget } from '../dial/learn-target.js';
import type { Target } from '../dial/target.js';
import { callerOf, requestContext, scopeOf, type RequestContext } from './request-context.js';
import { Delivery } from './delivery.js';
import {
  closedError,
  describe,
  otherEraError,
  queueFullError,
  serverError,
  unknownMethod,
} from './failures.js';
import type { ServerFacts } from './initialize.js';
import type { ToolCatalog } from '../tools/catalog.js';
import { Ledger, type LedgerEntry, type LedgerRequest, type Waiter } from './ledger.js';
import { Supervisor } from './supervisor.js';
import { MiddlewareChain, type ChainHandlers } from '../middleware/chain.js';
import type { TaskWatch } from './task-watch.js';
import type { RequestRoute } from '../middleware/contract.js';
import type { ResolvedConnectionOptions } from './resolve-options.js';
import { isSafe } from './safety.js';
import { RestorableState, type ListName } from './restorable-state.js';
import type { ConnectionState } from './state.js';
import { answerIn, cancellationOf } from './wire.js';
import type { Era } from '../protocol-version.js';

/**
 * The SDK's `Transport` that survives a lost connection. It owns the requests of the program and
 * their ids; the supervisor below keeps the connection that they are sent on.
 *
 * `send()` of a request stays open until the request settles: rejecting it is the only way in which
 * an error object reaches the SDK's caller unchanged.
 */
export class ReconnectingTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  /** Called on every change of state. */
  onstate?: ((state: ConnectionState) => void) | undefined;
  /**
   * Called when the server has come back in another era. It gives the connection a new `Client` by
   * `reattach`. Where it is not set, the connection closes.
   */
  onera?: ((era: Era) => void) | undefined;

  readonly #maxInFlight: number;
  /** The async context for what belongs to no call. */
  readonly #scope: AsyncResource;
  /** Whether functions of the program run for a call after it was made. */
  readonly #keepsScopes: boolean;
  readonly #restorable: RestorableState;
  readonly #ledger: Ledger;
  readonly #supervisor: Supervisor;
  /** `undefined` if there are no middlewares. */
  readonly #chain: MiddlewareChain | undefined;
  /** Requests of the SDK's `Client`, by the id that it gave them. */
  #byProgramId = new Map<RequestId, RequestContext>();
  readonly #delivery: Delivery;
  #closing: Promise<void> | undefined;
  readonly #chainHandlers: ChainHandlers = {
    send: (request, context) => this.#ask(request, context),
    cancel: (context, error) => this.#cancelInFlight(context, error),
  };

  /** `tools` are known from other connections to the same server. */
  constructor(target: Target, options: ResolvedConnectionOptions, tools?: ToolCatalog) {
    this.#maxInFlight = options.maxInFlight;
    this.#scope = options.scope;
    // A server in this process is part of the program.
    this.#keepsScopes = options.keepsScopes || target.kind === 'server';
    this.#restorable = new RestorableState(tools, options.listBounds);
    const { trustHints } = options;
    const isSafeTool = (name: unknown): boolean =>
      trustHints && this.#restorable.tools.isSafe(name);
    this.#ledger = new Ledger({
      isSafe: (entry) => isSafe(entry, isSafeTool),
      maxLosses: options.retry.maxAttempts,
    });
    const { middleware = [] } = options;
    const origin = target.kind === 'url' ? target.url.origin : undefined;
    const { client, secrets, principal } = options;
    learnTarget(target, secrets);
    const routeOf = ({ id }: RequestContext): RequestRoute | undefined => {
      const { state, server } = this.#supervisor;
      if (state.name !== 'ready' || id === undefined) return undefined;
      return { id, transport: state.transport, protocolVersion: server?.protocolVersion };
    };
    const server = options.name ?? target.name;
    const whose = { client, origin, server, trustHints, principal, secrets, routeOf };
    this.#chain = middleware.length > 0 ? new MiddlewareChain(middleware, whose) : undefined;
    this.#delivery = new Delivery({
      receiver: this,
      scope: this.#scope,
      onToolsChanged: () => this.#chain?.toolsChanged((error) => this.#delivery.error(error)),
      reply: (answer) => this.#supervisor.answer(answer),
    });
    this.#supervisor = new Supervisor({
      chain: this.#chain,
      target,
      options,
      ledger: this.#ledger,
      restorable: this.#restorable,
      port: {
        ask: (request, context) =>
          this.#scope.runInAsyncScope(() => this.request(request, context)),
        cancel: (context) => this.cancel(context, closedError(context.certainty)),
        deliver: (message, scope) => this.#delivery.message(message, undefined, scope),
        report: (error) => this.#delivery.error(error),
      },
      onState: (state) => this.#stateChanged(state),
      onEra: (era) => this.#eraChanged(era),
    });
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#supervisor.state;
  }

  /** The era of the server in the latest handshake. */
  get era(): Era | undefined {
    return this.#supervisor.era;
  }

  /** What the latest handshake told about the server. */
  get server(): ServerFacts | undefined {
    return this.#supervisor.server;
  }

  /** How many answers were dropped because they belong to no request. */
  get droppedAnswers(): number {
    return this.#ledger.dropped;
  }

  /** `close` was called: nothing more can be sent. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Does nothing: the connection dials when there is something to send. */
  async start(): Promise<void> {}

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    if (isAnswer(message)) return this.#supervisor.answer(message);
    if ('id' in message) return this.#sendRequest(message, options?.headers);
    if (message.method === 'notifications/initialized')
      return this.#supervisor.sendInitialized(message);
    if (message.method === 'notifications/cancelled') return this.#cancelRequest(message);
    return this.#supervisor.sendMessage(message);
  }

  /**
   * Dials, if there is no session; fulfilled when requests can be sent at once. The program must
   * have made its handshake before.
   *
   * @throws LongwireError
   */
  open(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    return this.#supervisor.open();
  }

  /** The tasks of which the server is asked to say what happens. */
  get taskWatch(): TaskWatch {
    return this.#supervisor.serverStream.tasks;
  }

  /** From now on the program wants to know when one of these lists of the server changes. */
  watchLists(lists: readonly ListName[]): void {
    if (lists.includes('tools')) this.#restorable.watchTools();
    this.#supervisor.serverStream.watchLists(lists);
  }

  /**
   * Replaces the `Client` above by another one. Requests of the old one are still answered to it;
   * messages that come before the new one is attached are kept for it.
   */
  reattach(attach: () => Promise<unknown>): Promise<void> {
    return this.#delivery.keepDuring(() => {
      this.#byProgramId = new Map();
      this.onclose = this.onerror = this.onmessage = undefined;
      return attach();
    });
  }

  /**
   * Makes a request without the SDK's `Client`, which would add only an id. The result is as the
   * server sent it.
   *
   * @throws LongwireError
   */
  request(request: LedgerRequest, context: RequestContext): Promise<Result> {
    if (this.#chain === undefined || this.#closing !== undefined)
      return this.#ask(request, context);
    return this.#chain.run(request, context, this.#chainHandlers);
  }

  #ask(request: LedgerRequest, context: RequestContext): Promise<Result> {
    return new Promise((resolve, reject) => {
      const entry = this.#enter(request, context, {
        answered: (answer) => {
          if ('error' in answer) reject(serverError(describe(request), answer.error));
          else resolve(context.followTask?.(answer.result) ?? answer.result);
        },
        failed: reject,
      });
      if (entry !== undefined) this.#supervisor.send(entry);
    });
  }

  /**
   * Settles a call with an error of the caller (it was aborted, it timed out), and tells the server
   * if the request was sent.
   */
  cancel(context: RequestContext, error: LongwireError): void {
    context.stop?.(error);
    this.#cancelInFlight(context, error);
  }

  /** Whether a request is in flight, or waits for a session. */
  holds(context: RequestContext): boolean {
    return this.#ledger.find(context.id)?.context === context;
  }

  /** Closes for good; fulfilled when nothing is left open. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(reason?: LongwireError): Promise<void> {
    this.#chain?.close(reason);
    for (const { id, assigned, onWire, context, waiter } of this.#ledger.removeAll()) {
      // A request that has not left must not leave now.
      if (assigned && !onWire) {
        this.#supervisor
          .sendMessage(cancellationOf(id, 'closed'), callerOf(context))
          .catch(() => {});
      }
      waiter.failed(reason ?? closedError(context.certainty));
    }
    await this.#supervisor.close();
    this.onclose?.();
    this.onclose = this.onerror = this.onmessage = undefined;
  }

  #sendRequest(
    request: JSONRPCRequest,
    headers: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { id, method, params } = request;
    // When the answer comes, another `Client` may be attached.
    const { onmessage } = this;
    const isDiscover = method === 'server/discover';
    const isHandshake =
      method === 'initialize' || (isDiscover && this.#supervisor.state.name !== 'ready');
    if (isDiscover && !isHandshake && this.#supervisor.era === 'legacy') {
      queueMicrotask(() => this.#delivery.message(unknownMethod(id), onmessage));
      return Promise.resolve();
    }
    const context: RequestContext = (params as { [requestContext]?: RequestContext } | undefined)?.[
      requestContext
    ] ?? {
      certainty: 'not-sent',
    };
    if (context.answerHere !== undefined) {
      const answer = { jsonrpc: '2.0' as const, id, result: context.answerHere(request) };
      return this.#delivery.answerSoon(answer, { request, onmessage });
    }
    context.programId = id;
    if (headers !== undefined) context.headers = { ...context.headers, ...checkHeaders(headers) };
    const { era } = this.#supervisor;
    const byProgramId = this.#byProgramId;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        answered: (answer) => {
          const followed = 'result' in answer ? context.followTask?.(answer.result) : undefined;
          if (followed !== undefined) {
            followed.then(
              (result) => waiter.answered({ jsonrpc: '2.0', id, result }),
              (error: LongwireError) => waiter.failed(error),
            );
            return;
          }
          byProgramId.delete(id);
          if ('result' in answer) context.result = answer.result;
          const isToolList = method === 'tools/list' && era === 'modern';
          const inEra = answerIn(
            era,
            isToolList ? this.#restorable.tools.usablePage(answer) : answer,
          );
          this.#delivery.answerSoon({ ...inEra, id }, { request, onmessage }).then(resolve, reject);
        },
        failed: (error) => {
          byProgramId.delete(id);
          reject(error);
        },
      };
      byProgramId.set(id, context);
      // A subscription stays open: its `send` is fulfilled when the server has acknowledged it.
      if (method === 'subscriptions/listen') context.onAcknowledged = () => resolve();
      // What was answered already has passed them.
      if (this.#chain === undefined || isHandshake || context.prior !== undefined) {
        const entry = this.#enter(request, context, waiter);
        if (entry === undefined) return;
        // The handshake passes the middlewares on every dial, in `DialedChannel`.
        if (isHandshake) this.#supervisor.initialize(request, entry);
        else this.#supervisor.send(entry);
        return;
      }
      this.#chain.run(request, context, this.#chainHandlers).then(
        (result) => waiter.answered({ jsonrpc: '2.0', id, result }),
        (error: LongwireError) => {
          // An error that the server answered is for the `Client` to handle.
          const { serverError } = context;
          const isAnswer = error instanceof ServerError && serverError !== undefined;
          if (isAnswer) waiter.answered({ jsonrpc: '2.0', id, error: serverError });
          else waiter.failed(error);
        },
      );
    });
  }

  /** Settles a request if it is in flight now. */
  #cancelInFlight(context: RequestContext, error: LongwireError): void {
    context.leaveTask?.(error);
    const entry = this.#ledger.find(context.id);
    if (entry?.context === context) void this.#cancelEntry(entry, error, error.code);
  }

  /** Enters a request into the ledger, or fails it at once. */
  #enter(request: LedgerRequest, context: RequestContext, waiter: Waiter): LedgerEntry | undefined {
    if (this.#closing !== undefined) {
      waiter.failed(closedError('not-sent'));
    } else if (context.abandoned !== undefined) {
      waiter.failed(context.abandoned);
    } else if (this.#ledger.size >= this.#maxInFlight && context.internal !== true) {
      waiter.failed(queueFullError(this.#maxInFlight));
    } else {
      context.scope = scopeOf(request, context, this.#keepsScopes);
      return this.#ledger.enter(request, context, waiter);
    }
    return undefined;
  }

  #cancelRequest({ params }: JSONRPCNotification): Promise<void> {
    const context = this.#byProgramId.get(params?.['requestId'] as RequestId);
    if (context === undefined) return Promise.resolve();
    // The `Client` has its own error for the caller, and ignores this one.
    const error = closedError(context.certainty);
    context.stop?.(error);
    const entry = this.#ledger.find(context.id);
    if (entry?.context !== context) return Promise.resolve();
    return this.#cancelEntry(entry, error, params?.['reason']);
  }

  /** Settles a request with an error, and tells the server if a channel has been given it. */
  async #cancelEntry(entry: LedgerEntry, error: LongwireError, reason: unknown): Promise<void> {
    const { id, assigned } = entry;
    const caller = callerOf(entry.context);
    this.#ledger.remove(id);
    this.#supervisor.settled(entry);
    entry.waiter.failed(error);
    // Without a session there is nobody to tell.
    if (assigned)
      await this.#supervisor.sendMessage(cancellationOf(id, reason), caller).catch(() => {});
  }

  #stateChanged(state: ConnectionState): void {
    try {
      this.#scope.runInAsyncScope(() => this.onstate?.(state));
    } catch (error) {
      this.#delivery.error(error as Error);
    }
  }

  #eraChanged(era: Era): void {
    if (this.onera !== undefined) {
      this.onera(era);
      return;
    }
    const error = otherEraError(era);
    this.#delivery.error(error);
    this.#closing ??= this.#close(error);
  }
}
