import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type {
  JSONRPCErrorResponse,
  JSONRPCResponse,
  Progress,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import { checkHeaders } from '../http/headers.js';
import type { RequestContext } from '../connection/request-context.js';
import { isServerFailure } from '../health/server-failure.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { CERTAINTY_TEXT } from '../certainty-text.js';
import { LongwireError, type Certainty, type ErrorCode } from '../errors.js';
import { awayError, type Absence, type AwaitingCall } from './away.js';
import type { CallClock, Timed } from './call-clock.js';
import type { Idle } from './idle.js';
import type { CallWithTask } from '../tasks/tasks.js';
import type { CallTimeouts, CallToolOptions, TaskHandle, Waiting, WhenAway } from './types.js';

/** A call with it that is aborted leaves its task as it is, and does not cancel it. */
export const keepsTask: unique symbol = Symbol('keepsTask');

/** Who passes a call of the program on to a client, and may take it back. */
export interface CallObserver {
  /** When the program made the call, on the clock of `performance.now()`: its time runs from then. */
  readonly madeAt: number;
  /** Given the call when it begins. */
  onBegin(call: Call): void;
  /** Called when the call could not be sent for this reason, and will be later. */
  onDeferred(error: LongwireError): void;
}

/** Under this key the options of an operation hold its observer, if it has one. */
export const callObserver: unique symbol = Symbol('longwire.observer');

/** What the calls of one client share. */
export interface SharedCallOptions {
  clock: CallClock;
  /** How long a call may take whose options do not say. */
  timeouts: CallTimeouts;
  /** Given the begin and the end of each call, where the connection closes when idle. */
  idle?: Idle | undefined;
  /** Called with the progress of every call of a tool. */
  onProgress?: (tool: string, progress: Progress) => void;
  /** Called with what `onProgress` of a call throws. */
  onListenerError: (error: unknown) => void;
  /** What calls do while the server is away; `undefined`: they wait. */
  whenAway?: WhenAway | undefined;
  /** What the server is called. */
  nameOf?: () => string;
  /** Called when a call begins to wait for a server that is away. */
  onWaiting?: (waiting: Waiting) => void;
  /** Follows the task that a call has become, if its result is one. */
  followTask?: (
    call: Call,
    result: Result,
    connection: ReconnectingTransport,
  ) => Promise<Result> | undefined;
  /** Makes the handle of a task that a call has become. */
  taskHandle?: (taskId: string) => TaskHandle;
}

type ObservedOptions = CallToolOptions & {
  readonly [callObserver]?: CallObserver;
  readonly [keepsTask]?: boolean;
};

/**
 * One operation from its start to its end: its idle time, its hard cap and its signal. Whichever
 * comes first ends it, with what is certain at that moment. It is its own context on the request.
 */
export class Call implements RequestContext, Timed, AwaitingCall, CallWithTask {
  certainty: Certainty = 'not-sent';
  id: number = -1;
  serverError?: JSONRPCErrorResponse['error'];
  result?: Result;
  abandoned?: LongwireError;
  /** When it began, on the clock of `performance.now()`. */
  readonly startedAt: number;
  dueAt: number;
  headers: Readonly<Record<string, string>> | undefined;
  idempotent: boolean | undefined;
  prior?: JSONRPCResponse | undefined;
  programId?: RequestId;
  scope?: AsyncResource | undefined;
  endTask?: () => void;
  /** The tool that it calls. */
  tool?: string | undefined;
  /** The task that it has become. */
  taskId?: string | undefined;
  /** What was told of its progress last. */
  latestProgress: Progress | undefined;

  readonly what: string;
  readonly #options: ObservedOptions;
  readonly #shared: SharedCallOptions;
  /** Its idle time, in milliseconds. */
  readonly timeoutMs: number;
  readonly #deadlineAt: number;
  readonly #onAbort: (() => void) | undefined;
  /** The async context of the listeners: what they are told comes with a socket's event, in any context. */
  readonly #listenerScope: AsyncResource | undefined;
  #connection: ReconnectingTransport | undefined;
  #onStopped: ((error: LongwireError) => void) | undefined;
  /** How many questions of the server are open. */
  #holds = 0;
  /** Why it waits, if it does. */
  #absence: Absence | undefined;
  /** Until when it waits for a server that is away, on the clock of `performance.now()`. */
  #patientUntil = Infinity;
  /** Why its task is followed no more, although the call itself was not ended early. */
  #leftTask: LongwireError | undefined;

  /** `what` is being done, for messages: `the call of echo`. */
  constructor(what: string, options: ObservedOptions, shared: SharedCallOptions) {
    this.what = what;
    this.idempotent = options.idempotent;
    this.headers = options.headers && checkHeaders(options.headers);
    this.#options = options;
    this.#shared = shared;
    const observer = options[callObserver];
    observer?.onBegin(this);
    const now = observer?.madeAt ?? performance.now();
    this.startedAt = now;
    this.timeoutMs = options.timeoutMs ?? shared.timeouts.callMs;
    this.#deadlineAt = now + (options.deadlineMs ?? shared.timeouts.deadlineMs);
    this.dueAt = Math.min(now + this.timeoutMs, this.#deadlineAt);
    shared.clock.add(this);
    shared.idle?.begin();
    const { signal, onProgress, onTask } = options;
    if (onProgress !== undefined || onTask !== undefined)
      this.#listenerScope = new AsyncResource('longwire.progress');
    if (signal !== undefined) {
      this.#onAbort = () => this.#stop('aborted', 'was aborted');
      // One signal may end many calls.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#onAbort, { once: true });
      if (signal.aborted) this.#onAbort();
    }
  }

  /** Waits for what comes before the request can be sent; rejected if the call ends earlier. */
  async before<T>(preparation: Promise<T>): Promise<T> {
    const stopped = new Promise<never>((_resolve, reject) => {
      if (this.abandoned === undefined) this.#onStopped = reject;
      else reject(this.abandoned);
    });
    return Promise.race([preparation, stopped]);
  }

  /** Waits for all that the call does; then it has settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    try {
      return await this.before(work);
    } finally {
      this.done();
    }
  }

  /** From here on, a call that ends early settles its request on this connection. */
  sendOn(connection: ReconnectingTransport): void {
    this.#connection = connection;
  }

  /** The call has settled. */
  done(): void {
    this.endTask?.();
    if (this.taskId !== undefined) this.leaveTask(callIsOver(this.what));
    this.#shared.clock.delete(this);
    this.#shared.idle?.end();
    if (this.#onAbort !== undefined) {
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  /**
   * Ends the call, if the server certainly has not run it, so that another may, or with an error; true
   * if it has ended.
   */
  withdraw(error?: LongwireError): boolean {
    const hasNotRun = this.certainty === 'not-sent' || this.certainty === 'refused';
    const isFree = hasNotRun && this.abandoned === undefined;
    if (!isFree) return false;
    if (error === undefined) this.#stop('aborted', 'was withdrawn');
    else this.#end(error);
    return true;
  }

  /** The idle time starts anew. */
  onProgress(progress: Progress): void {
    this.#restartIdleTime();
    this.latestProgress = progress;
    if (this.tool !== undefined) this.#shared.onProgress?.(this.tool, progress);
    try {
      this.#listenerScope?.runInAsyncScope(() => this.#options.onProgress?.(progress));
    } catch (error) {
      this.#shared.onListenerError(error);
    }
  }

  /** A call of a tool may become a task. */
  get takesTasks(): boolean {
    return this.tool !== undefined;
  }

  /** The program wants to know of its task. */
  get wantsTask(): boolean {
    return this.#options.onTask !== undefined;
  }

  followTask(result: Result): Promise<Result> | undefined {
    const connection = this.#connection;
    if (this.tool === undefined || connection === undefined) return undefined;
    return this.#shared.followTask?.(this, result, connection);
  }

  becameTask(taskId: string): void {
    this.taskId = taskId;
    // Only the end of the task says what has run.
    this.certainty = 'outcome-unknown';
    const { onTask } = this.#options;
    const task = this.#shared.taskHandle?.(taskId);
    if (onTask === undefined || task === undefined) return;
    const tell = async (): Promise<void> => onTask(task);
    void this.#listenerScope?.runInAsyncScope(tell).catch(this.#shared.onListenerError);
  }

  leaveTask(error: LongwireError): void {
    if (this.taskId === undefined) return;
    this.#leftTask ??= error;
    this.#onStopped?.(error);
  }

  get isUnwanted(): boolean {
    const { abandoned } = this;
    if (abandoned?.code === 'aborted' && this.#options[keepsTask] === true) return false;
    return abandoned === undefined ? this.#leftTask !== undefined : UNWANTED.has(abandoned.code);
  }

  get ownHeaders(): Readonly<Record<string, string>> | undefined {
    return this.#options.headers && checkHeaders(this.#options.headers);
  }

  onAlive(): void {
    this.#restartIdleTime();
  }

  hold(): () => void {
    this.#holds++;
    this.dueAt = this.#deadlineAt;
    return () => {
      this.#holds--;
      this.#restartIdleTime();
    };
  }

  onDeferred(error: LongwireError, delayMs: number): void {
    this.#options[callObserver]?.onDeferred(error);
    if (!isServerFailure(error)) return;
    const { since = Date.now() } = this.#absence ?? {};
    const nextTryAt = Date.now() + delayMs;
    const isLost = this.#absence === undefined;
    this.meets({ reason: error, since, nextTryAt, known: true }, isLost);
  }

  meets(absence: Absence, isLost: boolean): void {
    if (this.abandoned !== undefined) return;
    const { whenAway = this.#shared.whenAway ?? 'wait' } = this.#options;
    // What was sent may yet be answered, or sent again, on the connection that is made now.
    const isOwed = isLost && this.certainty === 'outcome-unknown';
    if (whenAway === 'fail' && !isOwed) {
      this.#giveUp(absence);
      return;
    }
    const isNews = this.#absence?.since !== absence.since;
    this.#absence = absence;
    if (typeof whenAway === 'object') {
      if (this.#patientUntil === Infinity) {
        this.#patientUntil = performance.now() + whenAway.waitMs;
      }
      this.dueAt = Math.min(this.dueAt, this.#patientUntil);
      this.#shared.clock.add(this);
    }
    if (isNews) this.#tellWaiting(absence);
  }

  returned(): void {
    this.#absence = undefined;
    if (this.#patientUntil !== Infinity) this.#restartIdleTime();
  }

  /** It has left: it waits for an answer now, and no more for its server. */
  onSent(): void {
    if (this.#patientUntil !== Infinity) this.#restartIdleTime();
  }

  expire(): void {
    if (this.dueAt >= this.#patientUntil && this.#absence !== undefined)
      this.#giveUp(this.#absence);
    else if (this.dueAt >= this.#deadlineAt) this.#stop('deadline', 'did not end by its deadline');
    else this.#stop('timeout', `had no answer and no progress for ${this.timeoutMs} ms`);
  }

  #restartIdleTime(): void {
    if (this.#holds > 0) return;
    this.dueAt = Math.min(performance.now() + this.timeoutMs, this.#deadlineAt);
  }

  #stop(code: Extract<ErrorCode, 'aborted' | 'timeout' | 'deadline'>, how: string): void {
    const { certainty } = this;
    const obstacle = this.#connection === undefined ? undefined : obstacleOf(this.#connection);
    const why = obstacle === undefined ? '' : `: ${obstacle.summary}`;
    const error = new LongwireError(`${this.what} ${how}; ${CERTAINTY_TEXT[certainty]}${why}`, {
      code,
      certainty,
      taskId: this.taskId,
      ...(code === 'aborted' && { cause: this.#options.signal?.reason }),
      ...(code !== 'aborted' && obstacle !== undefined && { cause: obstacle }),
    });
    this.#end(error);
  }

  #giveUp(absence: Absence): void {
    const { what, certainty } = this;
    const server = this.#shared.nameOf?.() ?? 'the server';
    this.#end(awayError({ what, server, certainty }, absence));
  }

  #tellWaiting({ reason, since, nextTryAt }: Absence): void {
    const server = this.#shared.nameOf?.() ?? '';
    const waiting = { server, what: this.what, reason, since, nextTryAt };
    this.#shared.onWaiting?.(waiting);
    try {
      this.#options.onWaiting?.(waiting);
    } catch (error) {
      this.#shared.onListenerError(error);
    }
  }

  #end(error: LongwireError): void {
    this.abandoned = error;
    this.#connection?.cancel(this, error);
    this.#onStopped?.(error);
  }
}

/** A call that ended by one of these does not want its task any more. */
const UNWANTED: ReadonlySet<ErrorCode> = new Set(['aborted', 'timeout', 'deadline']);

/** A middleware has settled a call without waiting for its task. */
function callIsOver(what: string): LongwireError {
  return new LongwireError(`${what} is over`, { code: 'aborted', certainty: 'outcome-unknown' });
}

/** Why a connection has no session now, while it tries to get one. */
function obstacleOf({ state }: ReconnectingTransport): LongwireError | undefined {
  return 'reason' in state ? state.reason : undefined;
}
