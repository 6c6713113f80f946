import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  type RequestId,
  type ScopeChallenge,
  type TransportSendOptions,
} from '@modelcontextprotocol/server';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { CallOutcome } from '../calls/call.js';
import type { CallGates } from '../calls/gates.js';
import type { LoggedEvent } from '../events/event-log.js';
import { networkOf } from '../limits/network-of.js';
import { sessionLog } from '../operate/log.js';
import type { SessionEnd, TellNotification } from '../operate/observer.js';
import type { ServableServer } from '../options.js';
import type { MaybePromise, Principal } from '../principal.js';
import { CUT_BY_STOP, errorOf, type Refusal } from '../refusal.js';
import {
  AcceptedRequests,
  type AnsweredRequest,
  type RunningRequest,
} from './accepted-requests.js';
import { withKitCapabilities } from './capabilities.js';
import { grantedBy } from './granted.js';
import { KeptRecord } from './kept-record.js';
import { MAIN_STREAM, SessionStreams, type StreamsHost } from './session-streams.js';
import { ServerInstance } from '../instances/server-instance.js';
import type { SessionRecord, SessionStore } from './session-store.js';
import type { LegacyTasks } from './legacy-tasks.js';
import { SessionTasks } from './session-tasks.js';

/** What a session needs of its mount. */
export interface SessionHost extends StreamsHost {
  readonly store: SessionStore;
  readonly gates: CallGates;
  readonly notified: TellNotification | undefined;
  /** Missing where no tool has tasks. */
  readonly tasks: LegacyTasks | undefined;
  /** Makes a server instance for the session. */
  makeServer(session: Session): Promise<ServableServer>;
  /** Called once, when the session ends. */
  onEnd(session: Session, reason: SessionEnd): void;
}

/** One client's session, on the node that serves it. Its data is the record. */
export class Session {
  readonly record: SessionRecord;
  readonly principal: Principal;
  readonly requests: AcceptedRequests = new AcceptedRequests();
  /** What it says. */
  readonly streams: SessionStreams;
  /** Of the request that opened it. */
  readonly headers: IncomingHttpHeaders;
  /** Whence that request came, as far as limits tell clients apart. */
  readonly network: string;
  readonly log: FastifyBaseLogger;
  readonly #host: SessionHost;
  readonly #kept: KeptRecord;
  readonly #tasks: SessionTasks | undefined;
  #ended: AbortController | undefined;
  #instance: ServerInstance | undefined;
  /** The instance that is being made. */
  #making: ServerInstance | undefined;
  #waking: Promise<ServerInstance> | undefined;
  #tap: ((message: JSONRPCMessage) => boolean) | undefined;
  /** Waits no longer for the first server. */
  #stopWaiting: (() => void) | undefined;
  #ending: Promise<void> | undefined;

  constructor(
    record: SessionRecord,
    {
      principal,
      opening,
      host,
    }: { principal: Principal; opening: FastifyRequest; host: SessionHost },
  ) {
    this.record = record;
    this.principal = principal;
    // Not the request itself, which holds its body and its connection.
    this.headers = opening.headers;
    this.network = networkOf(opening.ip);
    this.log = sessionLog(opening.log, record.id);
    this.#host = host;
    this.#kept = new KeptRecord(record, host.store, this.log);
    this.streams = new SessionStreams(this, host);
    this.#tasks = host.tasks && this.#tasksOf(host.tasks);
  }

  get id(): string {
    return this.record.id;
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    // Made when somebody asks: it takes as much as the rest of an idle session.
    this.#ended ??= new AbortController();
    if (this.isEnded) this.#ended.abort();
    return this.#ended.signal;
  }

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether it has no server instance at this moment. */
  get isHibernating(): boolean {
    return this.#instance === undefined;
  }

  get protocolVersion(): string | undefined {
    const version: unknown = this.record.initialize?.params?.['protocolVersion'];
    return typeof version === 'string' ? version : undefined;
  }

  /**
   * Makes the server and connects it.
   *
   * @throws what the factory or the server's `connect` throws, after the session has ended.
   */
  async start(): Promise<void> {
    try {
      await this.#untilEnded(this.#wake());
    } catch (error) {
      await this.end('failed');
      throw error;
    }
  }

  /** Waits for what makes the first server, but not longer than the session lives. */
  #untilEnded(making: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => reject(new Error('the session has ended'));
      // Nothing of it is left: it would keep the server, also while the session hibernates.
      making.then(() => resolve(), reject).finally(() => (this.#stopWaiting = undefined));
    });
  }

  /** Hands every message of the server to `tap` first; what it takes goes no further. */
  tap(tap: (message: JSONRPCMessage) => boolean): void {
    this.#tap = tap;
  }

  /** A request as the gates and the server get it. */
  received(message: JSONRPCRequest): JSONRPCRequest {
    return this.#tasks?.received(message) ?? message;
  }

  /** Which scopes a request needs that its client does not have. */
  scopeChallengeOf(
    request: JSONRPCRequest,
    principal: Principal,
  ): MaybePromise<ScopeChallenge | undefined> {
    const instance = this.#instance;
    if (instance === undefined)
      return this.#wake().then((made) => challengeBy(made, request, principal));
    return challengeBy(instance, request, principal);
  }

  /** Takes a request back that was admitted, and has not run. */
  withdraw(request: RunningRequest, refusal: Refusal): Refusal {
    this.requests.delete(request);
    this.#host.gates.leave(request.call, { kind: 'refused', refusal });
    return refusal;
  }

  /** Runs a request that was admitted. Attach the sink of its stream first. */
  run(message: JSONRPCRequest, request: RunningRequest, extra: MessageExtraInfo): void {
    const { call, stream } = request;
    const isWanted = (): boolean => this.requests.runningOf(message.id) === request;
    if (!isWanted()) {
      // The client cancelled it, or the session ended, before it was admitted.
      if (stream !== MAIN_STREAM) this.streams.complete(stream);
      return;
    }
    this.touch();
    call.notify = (method, params) => {
      this.#host.notified?.({ method, params }, call);
      void this.#emit({ jsonrpc: '2.0', method, params }, stream);
    };
    if (this.#tasks?.start(request) === true) return;
    this.#host.gates.pass(
      call,
      () => {
        // Nothing that was cancelled while it waited reaches the server.
        if (isWanted() && this.#tasks?.handle(request) !== true) this.receive(message, extra);
      },
      (refusal) => {
        void this.#send({ jsonrpc: '2.0', id: message.id, error: errorOf(refusal) });
      },
    );
  }

  /** Passes a message of the client to the server; a request that counts goes through `run`. */
  receive(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    if (this.isEnded) return;
    this.touch();
    if ('method' in message) this.#noteIncoming(message);
    else {
      this.streams.noteAnswer(message.id);
      if (this.#tasks?.noteAnswer(message) === true) return;
    }
    if (this.#instance !== undefined) {
      this.#instance.receive(message, extra);
      return;
    }
    this.#wake().then(
      (instance) => instance.receive(message, extra),
      (error: unknown) => {
        this.log.error(error, 'the server of a session could not be made again');
        void this.end('failed');
      },
    );
  }

  /** Sends a notification that answers no request. */
  notify(method: string, params?: Record<string, unknown>): void {
    void this.#emit(
      { jsonrpc: '2.0', method, ...(params !== undefined && { params }) },
      MAIN_STREAM,
    );
  }

  /** Takes note that the client is there. */
  touch(): void {
    this.#kept.touch();
  }

  /** The answer to a request, as it was sent; `undefined` if it is not kept any more. */
  async answerTo({ answeredAt, stream }: AnsweredRequest): Promise<LoggedEvent | undefined> {
    return answeredAt === 0 ? undefined : this.streams.sentAt(answeredAt, stream);
  }

  /** Drops the server instance, if nothing runs; the next message makes a new one. */
  async hibernate(): Promise<void> {
    const instance = this.#instance;
    if (instance === undefined || this.record.initialize === undefined || this.isEnded) return;
    if (this.requests.running > 0 || this.streams.isAsking) return;
    this.#instance = undefined;
    this.#waking = undefined;
    await instance.drop();
  }

  /** Answers what runs with an error: the server stops, and nobody could resume it here. */
  cutCalls(): void {
    if (this.isEnded) return;
    for (const { call, run } of this.requests.all()) {
      void this.#send({ jsonrpc: '2.0', id: call.id, error: CUT_BY_STOP });
      if (run === undefined) call.cancel();
      else run.abandon();
    }
  }

  /** Frees everything it holds; fulfilled when all is closed. May be called again. */
  end(reason: SessionEnd): Promise<void> {
    return (this.#ending ??= Promise.resolve().then(() => this.#shutDown(reason)));
  }

  async #shutDown(reason: SessionEnd): Promise<void> {
    this.log.debug({ reason }, 'session ended');
    for (const request of this.requests.all()) this.#settle(request, 0, { kind: 'cancelled' });
    this.streams.closeAll();
    this.#tasks?.close();
    this.#ended?.abort();
    this.#stopWaiting?.();
    this.#host.onEnd(this, reason);
    try {
      await (this.#instance ?? this.#making)?.drop();
    } catch (error) {
      this.log.error(error, 'the server of a session failed to close');
    }
    this.#instance = undefined;
  }

  #wake(): Promise<ServerInstance> {
    return (this.#waking ??= this.#makeInstance().catch((error: unknown) => {
      this.#waking = undefined;
      throw error;
    }));
  }

  async #makeInstance(): Promise<ServerInstance> {
    const server = await this.#host.makeServer(this);
    const instance = new ServerInstance(this.id, server, {
      send: (message, options) => this.#send(message, options),
      closed: () => void this.end('server-closed'),
    });
    if (this.isEnded) {
      await instance.drop();
      throw new Error('the session has ended');
    }
    this.#making = instance;
    try {
      await instance.connect();
      await instance.replay(this.record);
      this.#instance = instance;
      return instance;
    } finally {
      this.#making = undefined;
    }
  }

  #send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | undefined {
    if (this.#tap?.(message) === true) return undefined;
    if ('method' in message) {
      const related = this.requests.runningOf(options?.relatedRequestId);
      this.#host.notified?.(message, related?.call);
      return this.#emit(message, related?.stream ?? MAIN_STREAM);
    }
    const request = this.requests.answeredBy(message);
    // It was cancelled: "the receiver SHOULD NOT send a response".
    if (request === undefined) return undefined;
    const { call } = request;
    const made = this.#tasks?.withTasks(call, message) ?? message;
    const answer = call.method === 'initialize' ? withKitCapabilities(made, this.record) : made;
    const sent = this.#emit(answer, request.stream);
    this.#settle(
      request,
      this.streams.seq,
      'error' in answer
        ? { kind: 'error', error: answer.error }
        : { kind: 'result', result: answer.result },
    );
    if ('result' in answer) {
      const granted = grantedBy(call, this.record);
      if (granted !== undefined) this.#kept.change(granted);
      // Nobody can use a session of Streamable HTTP whose handshake failed.
    } else if (call.method === 'initialize' && this.record.transport !== 'sse') {
      void this.end('failed');
    }
    return sent;
  }

  /** Ends a request, and its stream with the last one. */
  #settle(request: RunningRequest, answeredAt: number, outcome: CallOutcome): void {
    const { stream, call, run } = request;
    if (this.requests.runningOf(call.id) !== request) return;
    this.requests.end(request, answeredAt);
    // A task goes on, and tells the gates itself.
    if (run !== undefined) {
      if (outcome.kind === 'cancelled') run.abandon();
    } else {
      if (outcome.kind === 'cancelled') call.cancel();
      // Gates that are still asked whether it may run are told afterwards.
      if (request.admission === undefined) this.#host.gates.leave(call, outcome);
    }
    if (stream === MAIN_STREAM || this.requests.runningOn(stream) > 0) return;
    this.streams.complete(stream);
  }

  #emit(message: JSONRPCMessage, stream: number): Promise<void> | undefined {
    return this.isEnded ? undefined : this.streams.emit(message, stream);
  }

  #tasksOf(tasks: LegacyTasks): SessionTasks {
    return new SessionTasks(tasks, {
      principal: this.principal,
      record: this.record,
      streams: this.streams,
      requests: this.requests,
      answer: (id, answer) => void this.#send({ jsonrpc: '2.0', id, ...answer }),
      emit: (message, stream) => void this.#emit(message, stream),
    });
  }

  /** Takes note of the handshake, and of what ends a request. */
  #noteIncoming(message: JSONRPCMessage & { method: string }): void {
    switch (message.method) {
      case 'initialize':
        this.#kept.change({ initialize: message as JSONRPCRequest });
        break;
      case 'notifications/initialized':
        this.#kept.change({ isInitialized: true });
        break;
      case 'notifications/cancelled': {
        const { requestId } = (message as { params?: { requestId?: RequestId } }).params ?? {};
        const request = this.requests.runningOf(requestId);
        if (request === undefined) break;
        queueMicrotask(() => this.#settle(request, 0, { kind: 'cancelled' }));
        break;
      }
    }
  }
}

function challengeBy(
  { transport: { scopeChallenge } }: ServerInstance,
  request: JSONRPCRequest,
  { authInfo }: Principal,
): MaybePromise<ScopeChallenge | undefined> {
  return scopeChallenge?.({ request, ...(authInfo !== undefined && { authInfo }) });
}
