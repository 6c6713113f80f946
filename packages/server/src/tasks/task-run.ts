import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';
import type { CallGates } from '../calls/gates.js';
import { isClusterAway } from '../cluster/cluster.js';
import { IncomingRequest } from '../http/incoming-request.js';
import type { TellNotification } from '../operate/observer.js';
import type { ServableServer } from '../options.js';
import { CLOSED_EARLY, CLUSTER_AWAY, NO_SERVER, errorOf } from '../refusal.js';
import type { TaskAnswer, TaskCall } from './task-call.js';
import { TaskInstance } from './task-instance.js';
import { changesOf, originOf, outcomeOf, progressChanges, sendable } from './task-outcomes.js';
import { progressOf } from './task-progress.js';
import { tooManyTasks } from './task-refusals.js';
import { answerWithoutClient, canAnswer, TaskQuestions } from './task-questions.js';
import { prepareServer } from './task-server.js';
import { isFinal, type TaskRecord, type TaskStore } from './task-store.js';
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
  readonly #instance: TaskInstance;
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
  #isResumed = false;

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
    this.#instance = new TaskInstance(server, taskCall.client, {
      send: (message) => this.#send(message),
      closed: () => void this.#finish({ error: CLOSED_EARLY }),
    });
  }

  /** What its server says of itself, once it was asked. */
  get serverInfo(): unknown {
    return this.#instance.serverInfo;
  }

  /** Its record as it was stored last; `undefined` before it is a task. */
  get record(): TaskRecord | undefined {
    return this.#writer?.record;
  }

  /** Whether it waits for its client alone, and not for its server. */
  get isWaiting(): boolean {
    return this.#questions.size > 0;
  }

  /** Whether its task is another node's by now. */
  get isTaken(): boolean {
    return this.#writer?.isTaken === true;
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

  /** Whether the tool may run twice without harm, as the server of this run lists it. */
  mayRunTwice(): Promise<boolean> {
    return this.#instance.mayRunTwice(this.#taskCall.call.target ?? '');
  }

  /** Runs a task again that another process has begun: in the place of `start`. */
  resume(record: TaskRecord): void {
    this.#becoming = Promise.resolve(true);
    this.#isResumed = true;
    this.#progress = record.progress;
    this.#questions.follow(record.version);
    const writer = this.#write(record);
    if (!this.#isOver) this.start();
    // Its server has closed itself meanwhile.
    else void writer.change(changesOf({ error: CLOSED_EARLY })).then(() => this.#host.ended(this));
  }

  /** Looks whether its task is still this node's, which may have stalled: else it is dropped. */
  verify(): void {
    void this.#writer?.change({});
  }

  /** Its task is another node's, or will be: what it does counts no more, and nothing is written. */
  letGo(): Promise<void> {
    this.#writer?.letGo();
    return this.#finish(undefined);
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
    const { call, message, isAtOnce } = this.#taskCall;
    try {
      if (isAtOnce && !(await this.#becomeTask())) return;
      if (this.#isOver) return;
      await this.#instance.greet();
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
        ...originOf(this.#taskCall),
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
    if (this.#isOver) {
      // It was answered while its record was made.
      await this.#host.store.delete(record.principal, record.taskId);
      return false;
    }
    this.#write(record);
    this.#taskCall.caller.becameTask(record);
    return true;
  }

  /** It is a task, and this run writes its record. */
  #write(record: TaskRecord): TaskWriter {
    const { store } = this.#host;
    const writer = new TaskWriter(record, {
      store,
      log: this.#taskCall.call.log,
      handlers: {
        written: (written) => this.#host.changed(written),
        // Another node has cancelled it or taken it over, or it has expired.
        lost: () => void this.#finish(undefined),
      },
    });
    if (record.ttlMs !== null) this.#expireAt(record.createdAt + record.ttlMs);
    this.#writer = writer;
    this.#host.began(this, record.taskId);
    return writer;
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
    if (progress !== undefined) {
      // "The progress value MUST increase": a run that begins anew is heard where the one before was.
      const { progress: told = -Infinity } = this.#progress ?? {};
      if (this.#isResumed && progress.progress <= told) return undefined;
      this.#progress = progress;
    }
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
    const { maxMessageBytes } = this.#host;
    const answer = given && sendable(given, { call, project: this.#project, maxMessageBytes });
    if (answer === undefined) call.cancel();
    const writer = this.#writer;
    if (writer === undefined && answer !== undefined) caller.answer(answer);
    // Without a start it is for its caller to say why.
    if (this.#isStarted) this.#host.gates.leave(call, outcomeOf(answer));
    this.#ended.abort();
    this.#closed = this.#instance.drop().catch((error: unknown) => {
      call.log.error(error, 'the server of a call failed to close');
    });
    if (writer !== undefined && !writer.isTaken && !isFinal(writer.record.status)) {
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
}
