import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResultResponse,
  RequestId,
} from '@modelcontextprotocol/server';
import type { ClientCall } from '../calls/client-call.js';
import { isClusterAway } from '../cluster/cluster.js';
import type { Principal } from '../principal.js';
import { CLUSTER_AWAY, NO_SERVER, errorOf } from '../refusal.js';
import type { AcceptedRequests, RunningRequest } from './accepted-requests.js';
import type { LegacyTasks } from './legacy-tasks.js';
import type { SessionRecord } from './session-store.js';
import { MAIN_STREAM, type SessionStreams } from './session-streams.js';
import {
  invalid,
  legacyStatus,
  legacyTask,
  NEVER_TASK,
  progressParams,
  TASK_ONLY,
  TASKS_VERSION,
  tasksCapability,
  withTaskSupport,
} from '../tasks/legacy-forms.js';
import { answerTaskMethod, canList, TASK_METHODS } from './task-methods.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import type { TaskAnswer } from '../tasks/task-call.js';
import { askingForProgress, OWN_TOKEN } from '../tasks/task-progress.js';
import { isFinal, type TaskProgress, type TaskRecord } from '../tasks/task-store.js';
import type { AskedClient, TaskWaiter } from '../tasks/task-waits.js';

/** The session whose tasks they are. */
export interface TasksOwner {
  readonly principal: Principal;
  readonly record: SessionRecord;
  readonly streams: SessionStreams;
  readonly requests: AcceptedRequests;
  /** Answers a request. */
  answer(id: RequestId, answer: TaskAnswer): void;
  emit(message: JSONRPCMessage, stream: number): void;
}

/** A task that a session began, and which still runs. */
interface BegunTask {
  /** With whose credentials it is asked for. */
  readonly asker: ClientCall;
  /** Of the call, if its client asked for progress: "valid throughout the task lifetime". */
  readonly progressToken: string | number | undefined;
  /** What was told with that token. */
  progress?: TaskProgress | undefined;
  /** Whether its client has surely been told its id. */
  isKnown: boolean;
  /** Asks on the session's stream what the task asks for. */
  asking?: TaskWaiter | undefined;
  readonly stopListening: () => void;
}

/** A task is kept for a second at least, so that its client can ask for it. */
const LEAST_TTL_MS = 1_000;

/**
 * Tasks in the protocol of 2025-11-25, for one session: calls of tools that are tasks, and the methods of
 * tasks. Sessions of older versions have none, and call the same tools in the ordinary way.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
export class SessionTasks {
  readonly #tasks: LegacyTasks;
  readonly #session: TasksOwner;
  /** Whether the version that was agreed on has tasks. */
  #hasTasks = false;
  /** What the client was asked, by the id of the request. */
  readonly #asked = new Map<RequestId, (answer: TaskAnswer) => void>();
  readonly #begun = new Map<string, BegunTask>();

  constructor(tasks: LegacyTasks, session: TasksOwner) {
    this.#tasks = tasks;
    this.#session = session;
  }

  /** A request as the gates and the server get it: a task tells its progress, whoever asks for it. */
  received(message: JSONRPCRequest): JSONRPCRequest {
    const isTask = message.method === 'tools/call' && message.params?.['task'] !== undefined;
    return this.#hasTasks && isTask ? askingForProgress(message) : message;
  }

  /** Learns from an answer to `initialize` whether its version has tasks. */
  noteVersion(answer: JSONRPCResultResponse | JSONRPCErrorResponse): void {
    if ('result' in answer) this.#hasTasks = answer.result['protocolVersion'] === TASKS_VERSION;
  }

  /** An answer with what the kit adds to it. */
  withTasks(
    { method }: ClientCall,
    answer: JSONRPCResultResponse | JSONRPCErrorResponse,
  ): JSONRPCResultResponse | JSONRPCErrorResponse {
    if (!('result' in answer)) return answer;
    const { result } = answer;
    if (method === 'tools/list' && this.#hasTasks) {
      return { ...answer, result: withTaskSupport(result, this.#tasks.engine.rules) };
    }
    if (method !== 'initialize') return answer;
    this.noteVersion(answer);
    if (!this.#hasTasks) return answer;
    const tasks = tasksCapability(canList(this.#session.principal));
    const capabilities = { ...(result['capabilities'] as object | undefined), tasks };
    return { ...answer, result: { ...result, capabilities } };
  }

  /**
   * Takes a call of a tool that is to be a task, or is refused for that. It passes the gates itself.
   *
   * @returns whether it did.
   */
  start(request: RunningRequest): boolean {
    const { call } = request;
    if (call.method !== 'tools/call') return false;
    const options = this.#tasks.engine.rules.find(call.target);
    const task = this.#hasTasks ? call.params?.['task'] : undefined;
    if (task === undefined) {
      if (options?.task !== 'required') return false;
      this.#session.answer(call.id, { error: errorOf(TASK_ONLY) });
    } else if (options === undefined) {
      this.#session.answer(call.id, { error: NEVER_TASK });
    } else {
      const ttlMs = ttlOf(task);
      if (typeof ttlMs === 'string') {
        this.#session.answer(call.id, { error: invalid(ttlMs) });
      } else {
        void this.#run(request, { options, ttlMs });
      }
    }
    return true;
  }

  /**
   * Answers a request that is the kit's, after the gates.
   *
   * @returns whether it is.
   */
  handle({ call, stream }: RunningRequest): boolean {
    if (!this.#hasTasks || !TASK_METHODS.has(call.method)) return false;
    const begun = this.#begun.get(String(call.params?.['taskId']));
    if (begun !== undefined) begun.isKnown = true;
    if (call.method === 'tasks/result') this.#wait(call, stream);
    else {
      answerTaskMethod(this.#tasks.engine, call).then(
        (answer) => {
          this.#session.answer(call.id, answer);
          this.#follow(call);
          // When the task asked, its client may not have known it, and nobody may have read the stream.
          const { status, taskId } = 'result' in answer ? answer.result : {};
          if (status === 'input_required') this.#askOnStream(String(taskId));
        },
        (error: unknown) => this.#fail(call, error),
      );
    }
    return true;
  }

  /** Takes the answer of a client to what a task has asked. */
  noteAnswer(message: JSONRPCMessage): boolean {
    if ('method' in message || message.id === undefined) return false;
    const answered = this.#asked.get(message.id);
    if (answered === undefined) return false;
    this.#asked.delete(message.id);
    answered('error' in message ? { error: message.error } : { result: message.result });
    return true;
  }

  /** The session has ended; its tasks go on. */
  close(): void {
    for (const [taskId, { stopListening }] of this.#begun) {
      stopListening();
      this.#stopAsking(taskId);
    }
    this.#begun.clear();
  }

  async #run(
    request: RunningRequest,
    {
      options,
      ttlMs,
    }: {
      options: NonNullable<ReturnType<TaskEngine['rules']['find']>>;
      ttlMs: number | undefined;
    },
  ): Promise<void> {
    const { call } = request;
    const { id, method } = call;
    const { task: _, ...params } = call.params ?? {};
    const { initialize, logLevel } = this.#session.record;
    const { capabilities = {}, clientInfo = {} } = (initialize?.params ?? {}) as {
      capabilities?: Record<string, unknown>;
      clientInfo?: Record<string, unknown>;
    };
    try {
      const run = await this.#tasks.engine.prepare({
        call,
        message: { jsonrpc: '2.0', id, method, params },
        options,
        era: 'legacy',
        client: { capabilities, info: clientInfo, logLevel },
        isAtOnce: true,
        ...(ttlMs !== undefined && { ttlMs }),
        caller: {
          tell: () => undefined,
          answer: (answer) => this.#session.answer(id, answer),
          becameTask: (record) => {
            this.#listen(record, { asker: call, isKnown: record.node === undefined });
            this.#session.answer(id, { result: { task: legacyTask(record) } });
          },
        },
      });
      if (this.#session.requests.runningOf(id) !== request) {
        run.abandon();
        return;
      }
      request.run = run;
      run.start();
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #fail({ id, log }: ClientCall, error: unknown): void {
    const isAway = isClusterAway(error);
    if (!isAway) log.error(error, 'a task failed');
    this.#session.answer(id, { error: errorOf(isAway ? CLUSTER_AWAY : NO_SERVER) });
  }

  /** Tells the session on of a task that it began on a node that is gone, and which runs again here. */
  #follow(call: ClientCall): void {
    const taskId = String(call.params?.['taskId']);
    if (this.#begun.has(taskId)) return;
    const record = this.#tasks.engine.runningHere(call.principal.id, taskId);
    if (record?.origin?.sessionId !== this.#session.record.id) return;
    this.#listen(record, { asker: call, isKnown: true });
  }

  /** Tells the session of a task that it began, as far as a stream is open for that. */
  #listen(begun: TaskRecord, { asker, isKnown }: Pick<BegunTask, 'asker' | 'isKnown'>): void {
    const { taskId, origin } = begun;
    const token = (origin?.message ?? asker).params?._meta?.progressToken;
    const progressToken = token === OWN_TOKEN ? undefined : token;
    let last = begun;
    const stopListening = this.#tasks.engine.listen(asker, taskId, (record) => {
      const before = last;
      if (record !== undefined) {
        last = record;
        // Whoever waits in `tasks/result` is told there.
        if (!this.#isAwaited(taskId)) {
          this.#tellProgress(record, (params) => this.#tell('notifications/progress', params));
        }
        const { status, statusMessage } = legacyStatus(record);
        const isNews =
          status !== before.status ||
          (progressToken === undefined && statusMessage !== before.statusMessage);
        if (isNews) this.#tell('notifications/tasks/status', legacyTask(record));
        if (status === 'input_required') this.#askOnStream(taskId);
        else this.#stopAsking(taskId);
      }
      if (record !== undefined && !isFinal(record.status)) return;
      stopListening();
      this.#stopAsking(taskId);
      this.#begun.delete(taskId);
    });
    this.#begun.set(taskId, { asker, progressToken, isKnown, stopListening });
  }

  /**
   * Asks on the session's stream, if anybody reads it: "the requestor should call `tasks/result` to receive
   * input requests", and hardly any client does. In a cluster not before the client has asked for the task: the
   * answer that names it may come by another node, and later.
   */
  #askOnStream(taskId: string): void {
    const begun = this.#begun.get(taskId);
    if (begun === undefined || !begun.isKnown || begun.asking !== undefined) return;
    const { streams } = this.#session;
    if (this.#isAwaited(taskId) || !streams.hasReader(MAIN_STREAM)) return;
    const asking: TaskWaiter = {
      isHeard: () => streams.hasReader(MAIN_STREAM),
      answer: () => undefined,
      tellProgress: () => undefined,
      ask: (request, answered) => this.#ask(request, answered, MAIN_STREAM),
    };
    begun.asking = asking;
    // Where the store fails, the client can still ask by `tasks/result`.
    this.#tasks
      .waitsOf(begun.asker, taskId)
      .add(asking)
      .catch(() => (begun.asking = undefined));
  }

  #stopAsking(taskId: string): void {
    const begun = this.#begun.get(taskId);
    if (begun?.asking === undefined) return;
    this.#tasks.waitsOf(begun.asker, taskId).remove(begun.asking);
    begun.asking = undefined;
  }

  /** Tells progress with the token of the call, once. */
  #tellProgress(
    { taskId, progress }: TaskRecord,
    tell: (params: Record<string, unknown>) => void,
  ): void {
    const begun = this.#begun.get(taskId);
    if (begun?.progressToken === undefined || progress === undefined) return;
    if (begun.progress === progress) return;
    begun.progress = progress;
    tell(progressParams(taskId, begun.progressToken, progress));
  }

  /** Whether a request `tasks/result` of this session waits for a task. */
  #isAwaited(taskId: string): boolean {
    for (const { call } of this.#session.requests.all()) {
      if (call.method === 'tasks/result' && call.params?.['taskId'] === taskId) return true;
    }
    return false;
  }

  /** On the session's stream, if anybody reads it: what nobody hears now, the client asks for. */
  #tell(method: string, params: Record<string, unknown>): void {
    if (!this.#session.streams.hasReader(MAIN_STREAM)) return;
    this.#session.emit({ jsonrpc: '2.0', method, params }, MAIN_STREAM);
  }

  /** "it **MUST** block the response until the task reaches a terminal status." */
  #wait(call: ClientCall, stream: number): void {
    const { taskId } = call.params ?? {};
    if (typeof taskId !== 'string') {
      this.#session.answer(call.id, { error: invalid('taskId must be a string') });
      return;
    }
    const waits = this.#tasks.waitsOf(call, taskId);
    const waiter = this.#waiterOf(call, stream);
    call.signal.addEventListener('abort', () => waits.remove(waiter), { once: true });
    waits.add(waiter).then(
      () => this.#follow(call),
      (error: unknown) => this.#fail(call, error),
    );
  }

  #waiterOf(call: ClientCall, stream: number): TaskWaiter {
    const session = this.#session;
    const own = call.params?._meta?.progressToken;
    const tell = (params: Record<string, unknown>): void =>
      session.emit({ jsonrpc: '2.0', method: 'notifications/progress', params }, stream);
    return {
      isHeard: () => session.streams.hasReader(stream),
      answer: (answer) => session.answer(call.id, answer),
      tellProgress: (record) => {
        const { taskId, progress } = record;
        const isOfCall = this.#begun.get(taskId)?.progressToken !== undefined;
        if (isOfCall) this.#tellProgress(record, tell);
        else if (own !== undefined && progress !== undefined) {
          tell(progressParams(taskId, own, progress));
        }
      },
      ask: (request, answered) => this.#ask(request, answered, stream),
    };
  }

  #ask(
    request: { readonly method: string; readonly params: Record<string, unknown> },
    answered: (answer: TaskAnswer) => void,
    stream: number,
  ): AskedClient {
    const id = this.#tasks.nextId();
    this.#asked.set(id, answered);
    this.#session.emit({ jsonrpc: '2.0', id, ...request }, stream);
    return {
      withdraw: () => {
        if (!this.#asked.delete(id)) return;
        this.#session.streams.noteAnswer(id);
        const params = { requestId: id, reason: 'it is not waited for any more' };
        this.#session.emit({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, stream);
      },
    };
  }
}

/** How long the client wants the task to be kept, or what is wrong. */
function ttlOf(task: unknown): number | undefined | string {
  if (typeof task !== 'object' || task === null || Array.isArray(task)) {
    return 'task must be an object';
  }
  const { ttl } = task as { ttl?: unknown };
  if (ttl === undefined || ttl === null) return undefined;
  if (typeof ttl !== 'number' || !(ttl >= 0)) return 'task.ttl must be a number of milliseconds';
  return Math.max(ttl, LEAST_TTL_MS);
}
