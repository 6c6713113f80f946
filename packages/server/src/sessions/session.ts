import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  type RequestId,
  type JSONRPCResultResponse,
  type ScopeChallenge,
  type TransportSendOptions,
} from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { CallOutcome } from '../calls/call.js';
import type { LoggedEvent } from '../events/event-log.js';
import { networkOf } from '../limits/network-of.js';
import { sessionLog } from '../operate/log.js';
import type { SessionEnd } from '../operate/observer.js';
import type { MaybePromise, Principal } from '../principal.js';
import {
  CUT_BY_STOP,
  errorOf,
  MOVED,
  OUTCOME_UNKNOWN,
  SESSION_NOT_FOUND,
  UNKNOWN_SESSION,
  type Refusal,
} from '../refusal.js';
import {
  AcceptedRequests,
  type AnsweredRequest,
  type RunningRequest,
} from './accepted-requests.js';
import { withKitCapabilities } from './capabilities.js';
import { headersOf } from './elsewhere.js';
import { grantedBy } from './granted.js';
import { KeptRecord } from './kept-record.js';
import type { LegacyTasks } from './legacy-tasks.js';
import { Ownership } from './ownership.js';
import type { SessionHost, SessionParts } from './session-host.js';
import { SessionServer, type ServedSession } from './session-server.js';
import type { SessionRecord } from './session-store.js';
import { MAIN_STREAM, SessionStreams } from './session-streams.js';
import { SessionTasks } from './session-tasks.js';

/** One client's session, on the node that serves it. Its data is the record. */
export class Session implements ServedSession {
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
  readonly #host: SessionHost<Session>;
  readonly #kept: KeptRecord;
  readonly #tasks: SessionTasks | undefined;
  readonly #server: SessionServer<Session>;
  /** Missing without a cluster. */
  readonly owned: Ownership | undefined;
  #ended: AbortController | undefined;
  #tap: ((message: JSONRPCMessage) => boolean) | undefined;
  #ending: Promise<void> | undefined;
  #isLeaving = false;
  #hasMoved = false;

  constructor(record: SessionRecord, { principal, origin, host, taken }: SessionParts<Session>) {
    this.record = record;
    this.principal = principal;
    // Not the request itself, which holds its body and its connection.
    this.headers = headersOf(origin, record);
    this.network = record.network ?? networkOf(origin.ip);
    this.log = sessionLog(origin.log, record.id);
    this.#host = host;
    this.#kept = new KeptRecord(record, host.store, this.log);
    this.owned =
      host.node && new Ownership(this, { node: host.node, host, fence: taken?.fence ?? 1 });
    this.streams = new SessionStreams(this, host, taken);
    this.#server = new SessionServer(this, host);
    this.#tasks = host.tasks && this.#tasksOf(host.tasks);
    if (taken !== undefined) this.requests.restore(taken.answered);
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
    return !this.#server.isLive;
  }

  /** Whether another node may have it without anybody being told of it. */
  get isQuiet(): boolean {
    const { requests, streams, record, owned } = this;
    const isIdle = requests.running === 0 && !streams.isAsking && streams.isSent;
    // Before its handshake nobody else could go on with it.
    return isIdle && owned?.isKept !== false && record.initialize !== undefined;
  }

  /** What a request gets that came for it and found that it has ended. */
  get gone(): Refusal {
    if (this.#hasMoved) return MOVED;
    return this.record.transport === 'sse' ? UNKNOWN_SESSION : SESSION_NOT_FOUND;
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
      await this.#server.start();
    } catch (error) {
      await this.end('failed');
      throw error;
    }
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
    return this.#server.scopeChallengeOf(request, principal);
  }

  /**
   * Keeps a request that was admitted, in a cluster, before it runs.
   *
   * @returns why it must not run here.
   */
  begin(request: RunningRequest): MaybePromise<Refusal | undefined> {
    if (!this.#isLeaving) return this.owned?.begin(request);
    // What runs is to end before the session leaves, and this one runs where it goes then.
    this.requests.delete(request);
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(this.gone), { once: true });
    });
  }

  /** Takes no more requests, so that what runs comes to an end and another node can have it. */
  beginLeaving(): void {
    if (this.record.initialize === undefined) return;
    this.#isLeaving = true;
    if (this.isQuiet) this.#host.onQuiet(this);
  }

  /** Takes a request back that was admitted, and has not run. */
  withdraw(request: RunningRequest, refusal: Refusal): Refusal {
    this.requests.delete(request);
    if (request.begun !== undefined) this.owned?.end(request.call.id);
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
        void this.said({ jsonrpc: '2.0', id: message.id, error: errorOf(refusal) });
      },
    );
  }

  /** Passes a message of the client to the server; a request that counts goes through `run`. */
  receive(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    if (this.isEnded) return;
    this.touch();
    let passed: JSONRPCMessage | undefined = message;
    if ('method' in message) this.#noteIncoming(message);
    else {
      this.streams.noteAnswer(message.id);
      if (this.#tasks?.noteAnswer(message) === true) return;
      if (this.owned !== undefined) passed = this.owned.ids.incoming(message);
    }
    if (passed === undefined) return;
    this.#server.receive(passed, extra, (error) => {
      this.log.error(error, 'the server of a session could not be made again');
      void this.end('failed');
    });
  }

  /** Asks its server, in the place of its client; `undefined` where the server refuses. */
  async ask(
    method: string,
    params: JSONRPCRequest['params'],
  ): Promise<JSONRPCResultResponse['result'] | undefined> {
    const answer = await (await this.#server.wake()).ask(method, params);
    return answer !== undefined && 'result' in answer ? answer.result : undefined;
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
    if (this.isHibernating || this.record.initialize === undefined || this.isEnded) return;
    if (this.requests.running > 0 || this.streams.isAsking) return;
    await this.#server.hibernate();
  }

  /** Answers what runs with an error: the server stops, and nobody could resume it here. */
  cutCalls(): void {
    if (this.isEnded) return;
    for (const { call, run } of this.requests.all()) {
      void this.said({ jsonrpc: '2.0', id: call.id, error: CUT_BY_STOP });
      if (run === undefined) call.cancel();
      else run.abandon();
    }
  }

  /** Answers a request of which nobody knows whether it ran. */
  answerUnknown({ call: { id } }: RunningRequest): void {
    void this.said({ jsonrpc: '2.0', id, error: OUTCOME_UNKNOWN });
  }

  /** Another node has it, or may take it: its readers come back there, and nothing more is said here. */
  leave(): Promise<void> {
    this.#hasMoved ||= !this.isEnded;
    if (this.#hasMoved) this.streams.cut();
    return this.end('moved');
  }

  /** Frees all that it holds; fulfilled when it is closed. Other nodes may go on with it if this one stops. */
  end(reason: SessionEnd): Promise<void> {
    this.#hasMoved ||= !this.isEnded && reason === 'shutting-down' && this.owned !== undefined;
    return (this.#ending ??= Promise.resolve().then(() => this.#shutDown(reason)));
  }

  async #shutDown(reason: SessionEnd): Promise<void> {
    this.log.debug({ reason }, 'session ended');
    for (const request of this.requests.all()) this.#settle(request, 0, { kind: 'cancelled' });
    this.streams.closeAll();
    this.#tasks?.close();
    this.#ended?.abort();
    const ended = this.#host.onEnd(this, reason);
    try {
      await this.#server.drop();
    } catch (error) {
      this.log.error(error, 'the server of a session failed to close');
    }
    await ended;
  }

  /** A new server has answered `initialize` once more. */
  replayed(answer: Parameters<SessionTasks['noteVersion']>[0]): void {
    this.#tasks?.noteVersion(answer);
  }

  /** What the server says. */
  said(given: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | undefined {
    if (this.#tap?.(given) === true) return undefined;
    const message = this.owned?.ids.outgoing(given) ?? given;
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
    if (call.method === 'tools/list' && 'result' in answer) this.owned?.noteTools(answer.result);
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
    // A next owner is to find what this one leaves.
    if (answeredAt === 0 && request.begun !== undefined && !this.isEnded) this.owned?.end(call.id);
    // A task goes on, and tells the gates itself.
    if (run !== undefined) {
      if (outcome.kind === 'cancelled') run.abandon();
    } else {
      if (outcome.kind === 'cancelled') call.cancel();
      // Gates that are still asked whether it may run are told afterwards.
      if (request.admission === undefined) this.#host.gates.leave(call, outcome);
    }
    if (stream !== MAIN_STREAM && this.requests.runningOn(stream) === 0) {
      this.streams.complete(stream);
    }
    if (this.owned !== undefined && this.isQuiet) this.#host.onQuiet(this);
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
      answer: (id, answer) => void this.said({ jsonrpc: '2.0', id, ...answer }),
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
      }
    }
  }
}
