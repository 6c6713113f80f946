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
import type { Era, SendOptions } from '../channels/channel.js';
import { checkHeaders } from '../channels/headers.js';
import { isAnswer } from '../channels/message.js';
import { ServerError, type LongwireError } from '../errors.js';
import { learnTarget } from '../secrets/learn-target.js';
import type { Target } from '../target/target.js';
import { callMark, type CallMark } from './call-mark.js';
import { Delivery } from './delivery.js';
import {
  closedError,
  describe,
  otherEraError,
  queueFullError,
  serverError,
  unknownMethod,
} from './failures.js';
import type { ServerFacts } from './handshake.js';
import { withoutWrongHeaderTools } from './header-tools.js';
import type { KnownTools } from './known-tools.js';
import { Ledger, type LedgerEntry, type LedgerRequest, type Waiter } from './ledger.js';
import { Line } from './line.js';
import { Onion, type OnionSender } from './onion.js';
import type { ResolvedConnectionOptions } from './options.js';
import { isSafe } from './safety.js';
import { Standing } from './standing.js';
import type { ConnectionState } from './state.js';
import { answerIn, cancellationOf } from './wire.js';

/**
 * Keeps a session with one server alive, and is the SDK's `Transport` upwards: here are the
 * requests of the program and their ids, below is the line that they go over.
 *
 * `send()` of a request stays open until the request settles, because rejecting it is the only
 * way in which an error object reaches the SDK's caller unchanged.
 */
export class Connection implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  /** Told of every change of state. */
  onstate?: ((state: ConnectionState) => void) | undefined;
  /**
   * Told that the server has come back in another era: whoever takes this gives the connection a
   * new `Client` by `reattach`. Without anybody to take it, the connection ends.
   */
  onera?: ((era: Era) => void) | undefined;

  readonly #maxInFlight: number;
  /** The async context of what belongs to no call. */
  readonly #scope: AsyncResource;
  /** Whether something of the program's is run for a call after it has been made. */
  readonly #keepsScopes: boolean;
  readonly #standing: Standing;
  readonly #ledger: Ledger;
  readonly #line: Line;
  /** `undefined` where nothing stands around a request. */
  readonly #onion: Onion | undefined;
  /** Requests that came through an SDK `Client`, by the id that it gave them. */
  #byProgramId = new Map<RequestId, CallMark>();
  readonly #delivery: Delivery;
  #closing: Promise<void> | undefined;
  readonly #sender: OnionSender = {
    send: (request, mark) => this.#ask(request, mark),
    giveUp: (mark, error) => this.#withdraw(mark, error),
  };

  /** `tools` are those that were listed on other connections to the same server. */
  constructor(target: Target, options: ResolvedConnectionOptions, tools?: KnownTools) {
    this.#maxInFlight = options.maxInFlight;
    this.#scope = options.scope;
    // A server in this process is the program's, too.
    this.#keepsScopes = options.keepsScopes || target.kind === 'server';
    this.#standing = new Standing(tools, options.listBounds);
    const isSafeTool = (name: unknown): boolean => this.#standing.tools.isSafe(name);
    this.#ledger = new Ledger({
      isSafe: (entry) => isSafe(entry, isSafeTool),
      maxLosses: options.retry.maxAttempts,
    });
    const { middleware = [] } = options;
    const origin = target.kind === 'url' ? target.url.origin : undefined;
    const { client, secrets } = options;
    learnTarget(target, secrets);
    const whose = { client, origin, secrets };
    this.#onion = middleware.length > 0 ? new Onion(middleware, whose) : undefined;
    this.#delivery = new Delivery({
      receiver: this,
      scope: this.#scope,
      onToolsChanged: () => this.#onion?.toolsChanged((error) => this.#delivery.error(error)),
      reply: (answer) => this.#line.answer(answer),
    });
    this.#line = new Line({
      onion: this.#onion,
      target,
      options,
      ledger: this.#ledger,
      standing: this.#standing,
      ask: (request, mark) => this.#scope.runInAsyncScope(() => this.request(request, mark)),
      deliver: (message, scope) => this.#delivery.message(message, undefined, scope),
      report: (error) => this.#delivery.error(error),
      onState: (state) => this.#tell(state),
      giveUp: (mark) => this.cancel(mark, closedError(mark.certainty)),
      onEra: (era) => this.#tellEra(era),
    });
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#line.state;
  }

  /** Which era the server was of the last time. */
  get era(): Era | undefined {
    return this.#line.era;
  }

  /** What the server answered to the latest handshake. */
  get server(): ServerFacts | undefined {
    return this.#line.server;
  }

  /** Answers that belonged to no request and were dropped. */
  get droppedAnswers(): number {
    return this.#ledger.dropped;
  }

  /** Nothing can be sent on it any more. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Does nothing: the connection dials when it has something to send. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    if (isAnswer(message)) return this.#line.answer(message);
    if ('id' in message) return this.#sendRequest(message, options?.headers);
    if (message.method === 'notifications/initialized') return this.#line.finishHandshake(message);
    if (message.method === 'notifications/cancelled') return this.#cancelRequest(message);
    return this.#line.say(message);
  }

  /**
   * Dials, if there is no session; fulfilled when requests go out at once. The program must have
   * shaken hands before.
   *
   * @throws LongwireError
   */
  open(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    return this.#line.open();
  }

  /** From now on the program wants to know when a list of the server changes. */
  wantLists(): void {
    this.#standing.watchTools();
    this.#line.wantLists();
  }

  /**
   * Lets go of the `Client` above, for a new one. What the old one has asked, it is answered; what
   * the server says before the new one can hear it is kept.
   */
  reattach(attach: () => Promise<unknown>): Promise<void> {
    return this.#delivery.keepDuring(() => {
      this.#byProgramId = new Map();
      this.onclose = this.onerror = this.onmessage = undefined;
      return attach();
    });
  }

  /**
   * Makes a request of the program's own, without the SDK's `Client`, which adds nothing to it but
   * an id. The result is as the server sent it.
   *
   * @throws LongwireError
   */
  request(request: LedgerRequest, mark: CallMark): Promise<Result> {
    if (this.#onion === undefined || this.#closing !== undefined) return this.#ask(request, mark);
    return this.#onion.lead(request, mark, this.#sender);
  }

  #ask(request: LedgerRequest, mark: CallMark): Promise<Result> {
    return new Promise((resolve, reject) => {
      const entry = this.#enter(request, mark, {
        answered: (answer) => {
          if ('error' in answer) reject(serverError(describe(request), answer.error));
          else resolve(answer.result);
        },
        failed: reject,
      });
      if (entry !== undefined) this.#line.send(entry);
    });
  }

  /**
   * Settles a call with an error of the caller's making (it was aborted, it took too long), and
   * tells the server if the call had gone out.
   */
  cancel(mark: CallMark, error: LongwireError): void {
    mark.stop?.(error);
    this.#withdraw(mark, error);
  }

  /** Closes for good; fulfilled when nothing is left open. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(reason?: LongwireError): Promise<void> {
    this.#onion?.close(reason);
    for (const { id, handedOver, onWire, mark, waiter } of this.#ledger.removeAll()) {
      // What has not left must not leave any more.
      if (handedOver && !onWire) {
        this.#line.say(cancellationOf(id, 'closed'), callerOf(mark)).catch(() => {});
      }
      waiter.failed(reason ?? closedError(mark.certainty));
    }
    await this.#line.close();
    this.onclose?.();
    this.onclose = this.onerror = this.onmessage = undefined;
  }

  #sendRequest(
    request: JSONRPCRequest,
    headers: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { id, method, params } = request;
    // The `Client` above may be another one by the time that the answer comes.
    const { onmessage } = this;
    const isDiscover = method === 'server/discover';
    const isIntroduction =
      method === 'initialize' || (isDiscover && this.#line.state.name !== 'ready');
    if (isDiscover && !isIntroduction && this.#line.era === 'legacy') {
      queueMicrotask(() => this.#delivery.message(unknownMethod(id), onmessage));
      return Promise.resolve();
    }
    const mark: CallMark = (params as { [callMark]?: CallMark } | undefined)?.[callMark] ?? {
      certainty: 'not-sent',
    };
    mark.programId = id;
    if (headers !== undefined) mark.headers = { ...mark.headers, ...checkHeaders(headers) };
    const { era } = this.#line;
    const byProgramId = this.#byProgramId;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        answered: (answer) => {
          byProgramId.delete(id);
          if ('result' in answer) mark.result = answer.result;
          // The `Client` handles a notification one microtask after it was given: an answer
          // given at once would overtake the progress that came before it.
          const isToolList = method === 'tools/list' && era === 'modern';
          const inEra = answerIn(era, isToolList ? withoutWrongHeaderTools(answer) : answer);
          queueMicrotask(() => {
            const failure = this.#delivery.answer({ ...inEra, id }, { request, onmessage });
            if (failure === undefined) resolve();
            else reject(failure);
          });
        },
        failed: (error) => {
          byProgramId.delete(id);
          reject(error);
        },
      };
      byProgramId.set(id, mark);
      // A subscription stays open: whoever asked for it waits until it is.
      if (method === 'subscriptions/listen') mark.onAcknowledged = resolve;
      if (this.#onion === undefined || isIntroduction) {
        const entry = this.#enter(request, mark, waiter);
        if (entry === undefined) return;
        // A handshake passes the middlewares each time that it is made.
        if (isIntroduction) this.#line.introduce(request, entry);
        else this.#line.send(entry);
        return;
      }
      this.#onion.lead(request, mark, this.#sender).then(
        (result) => waiter.answered({ jsonrpc: '2.0', id, result }),
        (error: LongwireError) => {
          // What the server answered is the `Client`'s to judge.
          const { serverError } = mark;
          const isAnswer = error instanceof ServerError && serverError !== undefined;
          if (isAnswer) waiter.answered({ jsonrpc: '2.0', id, error: serverError });
          else waiter.failed(error);
        },
      );
    });
  }

  /** Settles a request that is in flight, and no other. */
  #withdraw(mark: CallMark, error: LongwireError): void {
    const entry = this.#ledger.find(mark.id);
    if (entry?.mark === mark) void this.#giveUp(entry, error, error.code);
  }

  /** Enters a request, or fails it at once. */
  #enter(request: LedgerRequest, mark: CallMark, waiter: Waiter): LedgerEntry | undefined {
    if (this.#closing !== undefined) {
      waiter.failed(closedError('not-sent'));
    } else if (mark.abandoned !== undefined) {
      waiter.failed(mark.abandoned);
    } else if (this.#ledger.size >= this.#maxInFlight && mark.internal !== true) {
      waiter.failed(queueFullError(this.#maxInFlight));
    } else {
      mark.scope = this.#scopeOf(request, mark);
      return this.#ledger.enter(request, mark, waiter);
    }
    return undefined;
  }

  /**
   * The context in which a request is made, where it is wanted later: whoever sends it may be
   * another one. A call of ours takes its progress itself.
   */
  #scopeOf({ params }: LedgerRequest, mark: CallMark): AsyncResource | undefined {
    if (mark.internal === true) return undefined;
    const isTold = mark.onProgress === undefined && params?._meta?.progressToken !== undefined;
    return this.#keepsScopes || isTold ? new AsyncResource('longwire.request') : undefined;
  }

  #cancelRequest({ params }: JSONRPCNotification): Promise<void> {
    const mark = this.#byProgramId.get(params?.['requestId'] as RequestId);
    if (mark === undefined) return Promise.resolve();
    // The `Client` has its own error for the caller, and waits for no other.
    const error = closedError(mark.certainty);
    mark.stop?.(error);
    const entry = this.#ledger.find(mark.id);
    if (entry?.mark !== mark) return Promise.resolve();
    return this.#giveUp(entry, error, params?.['reason']);
  }

  /** Settles a request with an error, and tells the server if it has been given it. */
  async #giveUp(entry: LedgerEntry, error: LongwireError, reason: unknown): Promise<void> {
    const { id, handedOver } = entry;
    const caller = callerOf(entry.mark);
    this.#ledger.remove(id);
    this.#line.settled(entry);
    entry.waiter.failed(error);
    // Where it cannot be said, there is nobody to whom it matters.
    if (handedOver) await this.#line.say(cancellationOf(id, reason), caller).catch(() => {});
  }

  #tell(state: ConnectionState): void {
    try {
      this.#scope.runInAsyncScope(() => this.onstate?.(state));
    } catch (error) {
      this.#delivery.error(error as Error);
    }
  }

  #tellEra(era: Era): void {
    if (this.onera !== undefined) {
      this.onera(era);
      return;
    }
    const error = otherEraError(era);
    this.#delivery.error(error);
    this.#closing ??= this.#close(error);
  }
}

/** Whose cancellation it is: a copy, because the mark may be of the next request by then. */
function callerOf({ headers, internal, scope }: CallMark): SendOptions {
  return { headers, internal, scope };
}
