import {
  INTERNAL_ERROR,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';
import type { CallOutcome } from '../calls/call.js';
import type { CallGates } from '../calls/gates.js';
import { isClusterAway } from '../cluster/cluster.js';
import { messageText } from '../events/message-text.js';
import { IncomingRequest } from '../http/incoming-request.js';
import type { TellNotification } from '../operate/observer.js';
import type { ServableServer } from '../options.js';
import { CLOSED_EARLY, CLUSTER_AWAY, NO_SERVER, errorOf } from '../refusal.js';
import { ServerInstance } from '../instances/server-instance.js';
import type { TaskAnswer, TaskCall } from './task-call.js';
import { progressOf, statusMessageOf } from './task-progress.js';
import { tooManyTasks } from './task-refusals.js';
import { answerWithoutClient, canAnswer, TaskQuestions } from './task-questions.js';
import { handshakeOf, prepareServer } from './task-server.js';
import { isFinal, type TaskChanges, type TaskRecord, type TaskStore } from './task-store.js';
import { TaskWriter } from './task-writer.js';

/** What all runs have in common. */
export interface TaskRunHost {
  readonly store: TaskStore;
  /** The name of this node, in a cluster. */
  readonly node: string | undefined;
  readonly gates: CallGates;
  readonly notified: TellNotification | undefined;
  /** What is longer is no answer. */
  readonly maxMessageBytes: number;
  /** Told of each change of a task, once it is stored. */
  changed(record: TaskRecord): void;
  /** Told when a run becomes a task. */
  began(run: TaskRun, taskId: string): void;
  /** Told once, when nothing of the run is left but its record. */
  ended(run: TaskRun): void;
}

/** The longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * One call of a tool on a server instance of its own, so that the end of no session and of no request
 * ends it. It begins as an ordinary call, for which its caller waits. It may become a task: then its
 * record is what counts, and its caller may leave.
 */
export class TaskRun {
  readonly #taskCall: TaskCall;
  readonly #host: TaskRunHost;
  readonly #ended: AbortController;
  readonly #instance: ServerInstance;
  /** Undoes what is of another era in an answer. */
  readonly #project: (result: JSONRPCResultResponse['result']) => JSONRPCResultResponse['result'];
  readonly #questions: TaskQuestions = new TaskQuestions();
  #becoming: Promise<boolean> | undefined;
  #writer: TaskWriter | undefined;
  #isStarted = false;
  #isOver = false;
  #finishing: Promise<void> = Promise.resolve();
  #closed: Promise<void> = Promise.resolve();
  /** The last that its handler has told. */
  #progress: NonNullable<TaskRecord['progress']> | undefined;
  #auto: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #serverInfo: unknown;

  /** @param ended the signal of the server, which is aborted when the run ends. */
  constructor(
    taskCall: TaskCall,
    { server, ended, host }: { server: ServableServer; ended: AbortController; host: TaskRunHost },
  ) {
    this.#taskCall = taskCall;
    this.#host = host;
    this.#ended = ended;
    const project = prepareServer(server, (result) => this.#takesQuestions(result));
    this.#project = taskCall.era === 'modern' ? project : (result) => result;
    this.#instance = new ServerInstance(undefined, server, {
      send: (message) => this.#send(message),
      closed: () => void this.#finish({ error: CLOSED_EARLY }),
    });
  }

  /** What its server says of itself, once it was asked. */
  get serverInfo(): unknown {
    return this.#serverInfo;
  }

  /** Its record as it was stored last; `undefined` before it is a task. */
  get record(): TaskRecord | undefined {
    return this.#writer?.record;
  }

  /** Whether it waits for its client alone, and not for its server. */
  get isWaiting(): boolean {
    return this.#questions.size > 0;
  }

  /** Fulfilled when its server is closed, once it is over. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Passes the gates and calls the tool. */
  start(): void {
    const { call, isAtOnce, options } = this.#taskCall;
    if (this.#isOver) return;
    this.#isStarted = true;
    call.notify = (method, params) => void this.#notify({ jsonrpc: '2.0', method, params });
    if (options.afterMs !== Infinity || isAtOnce) {
      const afterMs = Math.min(options.afterMs, MAX_DELAY_MS);
      this.#auto = setTimeout(() => void this.#becomeTask(), afterMs).unref();
    }
    this.#host.gates.pass(
      call,
      () => void this.#deliver(),
      (refusal) => void this.#finish({ error: errorOf(refusal) }),
    );
  }

  /** The caller has left, or nothing is to run. A task does not mind. */
  abandon(): void {
    if (this.#writer === undefined) void this.#finish(undefined);
  }

  /** Ends it: its handler is aborted, and its record says `cancelled`. */
  cancel(): Promise<void> {
    return this.#finish(undefined);
  }

  /** Ends it with an error that is not its server's. */
  fail(error: JSONRPCErrorResponse['error']): Promise<void> {
    return this.#finish({ error });
  }

  /** Hands answers to the server. What was not asked, or is answered already, is ignored. */
  async input(answers: Readonly<Record<string, TaskAnswer>>): Promise<void> {
    const open = this.#questions.answer(answers);
    for (const response of open) this.#instance.receive(response);
    if (open.length > 0) await this.#tellQuestions();
  }

  async #deliver(): Promise<void> {
    const { call, client, message, isAtOnce } = this.#taskCall;
    try {
      if (isAtOnce && !(await this.#becomeTask())) return;
      if (this.#isOver) return;
      const { logLevel } = client;
      await this.#instance.connect();
      const answer = await this.#instance.replay({
        initialize: handshakeOf(client),
        isInitialized: true,
        subscriptions: [],
        ...(logLevel !== undefined && { logLevel }),
      });
      if (answer !== undefined && 'result' in answer) {
        this.#serverInfo = answer.result['serverInfo'];
      }
    } catch (error) {
      if (!this.#isOver) call.log.error(error, 'the server of a call could not be connected');
      void this.#finish({ error: errorOf(NO_SERVER) });
      return;
    }
    if (this.#isOver) return;
    const { authInfo } = call.principal;
    this.#instance.receive(message, {
      request: IncomingRequest.from(call.request, { signal: this.#ended.signal }),
      ...(authInfo !== undefined && { authInfo }),
    });
  }

  /** Whether it is a task from now on. It stays a call where its principal may have no more tasks. */
  #becomeTask(): Promise<boolean> {
    return (this.#becoming ??= this.#create());
  }

  async #create(): Promise<boolean> {
    clearTimeout(this.#auto);
    const { call, options, era, isAtOnce, ttlMs: wantedMs = Infinity } = this.#taskCall;
    const { store, node } = this.#host;
    const taskId = randomBytes(24).toString('hex');
    const ttlMs = Math.min(options.ttlMs ?? Infinity, wantedMs);
    try {
      const record = await store.create({
        taskId,
        principal: call.principal.id,
        tool: call.target ?? '',
        ...(node !== undefined && { node }),
        era,
        status: 'working',
        ...progressChanges(this.#progress),
        ttlMs: ttlMs === Infinity ? null : ttlMs,
        pollIntervalMs: options.pollIntervalMs,
      });
      if (record !== 'too-many') return await this.#begin(record);
    } catch (error) {
      call.log.error(error, 'a task could not be stored');
      const refusal = isClusterAway(error) ? CLUSTER_AWAY : NO_SERVER;
      if (isAtOnce) void this.#finish({ error: errorOf(refusal) });
      return false;
    }
    if (isAtOnce) void this.#finish({ error: errorOf(tooManyTasks()) });
    return false;
  }

  async #begin(record: TaskRecord): Promise<boolean> {
    const { store } = this.#host;
    const { call, caller } = this.#taskCall;
    if (this.#isOver) {
      // It was answered while its record was made.
      await store.delete(record.principal, record.taskId);
      return false;
    }
    this.#writer = new TaskWriter(record, {
      store,
      log: call.log,
      handlers: {
        written: (written) => this.#host.changed(written),
        // Another node has cancelled it, or it has expired.
        lost: () => void this.#finish(undefined),
      },
    });
    if (record.ttlMs !== null) this.#expireAt(record.createdAt + record.ttlMs);
    this.#host.began(this, record.taskId);
    caller.becameTask(record);
    return true;
  }

  #expireAt(time: number): void {
    const expire = (): void => {
      if (Date.now() < time) this.#expireAt(time);
      else void this.#finish(undefined);
    };
    const delayMs = Math.min(Math.max(time - Date.now(), 0), MAX_DELAY_MS);
    this.#expiry = setTimeout(expire, delayMs).unref();
  }

  /** Takes what the server says. */
  #send(message: JSONRPCMessage): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    const { call } = this.#taskCall;
    if (!('method' in message)) {
      if (message.id !== call.id) return undefined;
      void this.#finish('error' in message ? { error: message.error } : { result: message.result });
      return undefined;
    }
    if ('id' in message) {
      void this.#ask(message);
      return undefined;
    }
    return this.#notify(message);
  }

  #notify(message: JSONRPCNotification): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    const { method, params = {} } = message;
    const { call, caller, client, isAtOnce } = this.#taskCall;
    if (method === 'notifications/cancelled') {
      // The server waits no longer for an answer.
      if (this.#questions.withdraw(params['requestId'])) void this.#tellQuestions();
      return undefined;
    }
    const progress = method === 'notifications/progress' ? progressOf(params) : undefined;
    const isLog = method === 'notifications/message' && client.logLevel !== undefined;
    // What belongs to no call goes nowhere.
    if (progress === undefined && !isLog) return undefined;
    this.#host.notified?.({ method, params }, call);
    if (progress !== undefined) this.#progress = progress;
    if (this.#writer !== undefined) {
      if (progress !== undefined) this.#writer.tell(progressChanges(progress));
      return undefined;
    }
    if (!isAtOnce) return caller.tell(message);
    // It waits in a queue: its client is told so by the task.
    void this.#becomeTask();
    return undefined;
  }

  /** Asks the client for what the server wants to know. */
  async #ask(request: JSONRPCRequest): Promise<void> {
    const answer = answerWithoutClient(request) ?? (await this.#refusalToAsk());
    if (this.#isOver) return;
    if (answer !== undefined) {
      this.#instance.receive({ jsonrpc: '2.0', id: request.id, ...answer });
      return;
    }
    this.#questions.add(request);
    await this.#tellQuestions();
  }

  /**
   * A handler that returns its questions is asked again with the answers, by a call of its own, as long as
   * it is no task: "Server implementations that use multi round-trip requests in conjunction with task
   * creation SHOULD resolve all MRTR exchanges synchronously before responding with a `CreateTaskResult`".
   */
  #takesQuestions(result: JSONRPCResultResponse['result']): boolean {
    const { era, isAtOnce, client } = this.#taskCall;
    const isOrdinary = era === 'modern' && !isAtOnce && this.#becoming === undefined;
    if (!isOrdinary || !canAnswer(client, result['inputRequests'])) return false;
    void this.#finish({ result });
    return true;
  }

  /** Only a task can ask. */
  async #refusalToAsk(): Promise<TaskAnswer | undefined> {
    return (await this.#becomeTask()) ? undefined : { error: errorOf(tooManyTasks()) };
  }

  async #tellQuestions(): Promise<void> {
    if (this.#isOver) return;
    const inputRequests = this.#questions.open();
    await this.#writer?.change({
      status: inputRequests === undefined ? 'working' : 'input_required',
      inputRequests,
    });
  }

  /** Ends it once, with an answer or, without one, as cancelled. Fulfilled when that is stored. */
  #finish(given: TaskAnswer | undefined): Promise<void> {
    // What is called from inside finds it over, and has nothing to wait for.
    if (this.#isOver) return this.#finishing;
    this.#isOver = true;
    return (this.#finishing = this.#end(given));
  }

  async #end(given: TaskAnswer | undefined): Promise<void> {
    clearTimeout(this.#auto);
    clearTimeout(this.#expiry);
    const { call, caller } = this.#taskCall;
    const answer = given && this.#sendable(given);
    if (answer === undefined) call.cancel();
    const writer = this.#writer;
    if (writer === undefined && answer !== undefined) caller.answer(answer);
    // Without a start it is for its caller to say why.
    if (this.#isStarted) this.#host.gates.leave(call, outcomeOf(answer));
    this.#ended.abort();
    this.#closed = this.#instance.drop().catch((error: unknown) => {
      call.log.error(error, 'the server of a call failed to close');
    });
    if (writer !== undefined && !isFinal(writer.record.status)) {
      await writer.change(changesOf(answer));
      if (writer.hasFailed) await this.#deleteRecord(writer.record);
    }
    writer?.stop();
    this.#host.ended(this);
  }

  /** A record that nobody can end any more would say `working` for as long as it is kept. */
  async #deleteRecord({ principal, taskId }: TaskRecord): Promise<void> {
    try {
      await this.#host.store.delete(principal, taskId);
    } catch (error) {
      this.#taskCall.call.log.error(error, 'a task that has ended could not be deleted');
    }
  }

  /** An answer that can be sent and kept: in the form of the client's era, and neither too long nor no JSON. */
  #sendable(answer: TaskAnswer): TaskAnswer {
    const { call } = this.#taskCall;
    const projected = 'result' in answer ? { result: this.#project(answer.result) } : answer;
    const { message } = messageText(
      { jsonrpc: '2.0', id: call.id, ...projected },
      { maxMessageBytes: this.#host.maxMessageBytes, log: call.log },
    );
    return 'error' in message
      ? { error: message.error }
      : 'result' in message
        ? { result: message.result }
        : { error: { code: INTERNAL_ERROR, message: 'The call has no answer' } };
  }
}

function outcomeOf(answer: TaskAnswer | undefined): CallOutcome {
  if (answer === undefined) return { kind: 'cancelled' };
  return 'error' in answer
    ? { kind: 'error', error: answer.error }
    : { kind: 'result', result: answer.result };
}

/** Progress as a record has it. */
function progressChanges(
  progress: TaskRecord['progress'],
): Pick<TaskRecord, 'progress' | 'statusMessage'> {
  return progress === undefined ? {} : { progress, statusMessage: statusMessageOf(progress) };
}

/** How a record ends. */
function changesOf(answer: TaskAnswer | undefined): TaskChanges {
  const none = { statusMessage: undefined, inputRequests: undefined };
  if (answer === undefined) return { ...none, status: 'cancelled' };
  return 'error' in answer
    ? { ...none, status: 'failed', statusMessage: answer.error.message, error: answer.error }
    : { ...none, status: 'completed', result: answer.result };
}
