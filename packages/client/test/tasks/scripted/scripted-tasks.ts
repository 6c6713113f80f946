import type { MountableServer } from '../../../src/index.ts';

type Transport = Parameters<MountableServer['connect']>[0];
type Message = Record<string, unknown> & {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
};

/** A task in the server. */
export interface ScriptedTask {
  readonly taskId: string;
  /** The call that it is of. */
  readonly call: number;
  status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  updatedAt: number;
  said: number;
  /** Questions that were asked, by their keys, and the answers that came. */
  readonly questions: Map<string, unknown[]>;
  cancels: number;
  /** How often another task was told of instead. */
  wrongAnswers: number;
  /** How often it was asked for after a final state of it was delivered. */
  asksAfterEnd: number;
  endDelivered: boolean;
}

/** A request that nobody has answered. */
export interface PendingRequest {
  readonly session: Session;
  readonly message: Message;
  /** What the server did about it, once it did. */
  done?: object;
}

const EXTENSION = 'io.modelcontextprotocol/tasks';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const CREATED_AT = '2026-07-28T00:00:00Z';

/** A server of protocol 2026-07-28 in this process, of which a test decides each step. */
export class ScriptedTasks {
  readonly tasks: ScriptedTask[] = [];
  readonly pending: PendingRequest[] = [];
  /** How often each call of the program ran. */
  readonly runs = new Map<number, number>();
  /** Requests by method. */
  readonly counts = new Map<string, number>();
  readonly takesTaskIds: boolean;
  /** So many connections cannot be made. */
  refusedDials = 0;
  readonly #sessions = new Set<Session>();

  constructor(takesTaskIds: boolean) {
    this.takesTaskIds = takesTaskIds;
  }

  open(): Session {
    if (this.refusedDials > 0) {
      this.refusedDials -= 1;
      throw new Error('away');
    }
    const session = new Session(this);
    this.#sessions.add(session);
    return session;
  }

  /** The connection breaks: nobody answers what was asked on it. */
  cut(): void {
    for (const session of this.#sessions) session.cut();
    this.#sessions.clear();
    this.pending.length = 0;
  }

  /** Does what is asked, whether or not its answer arrives. */
  act(request: PendingRequest): object {
    request.done ??= this.#act(request.message);
    return request.done;
  }

  /** Does it, and answers: so often. */
  answer(request: PendingRequest, times = 1): void {
    const done = this.act(request);
    this.drop(request);
    for (let time = 0; time < times; time += 1) {
      request.session.send({ jsonrpc: '2.0', id: request.message.id, ...done });
    }
    const { taskId } = (request.message.params ?? {}) as { taskId?: string };
    const { status } = ((done as { result?: object }).result ?? {}) as { status?: string };
    const task = this.tasks.find((each) => each.taskId === taskId);
    if (task !== undefined && isEnd(status)) task.endDelivered = true;
  }

  /** Says that it cannot take an answer now. Other requests it does. */
  refuse(request: PendingRequest): void {
    if (request.message.method !== 'tasks/update') {
      this.answer(request);
      return;
    }
    this.drop(request);
    const error = { code: -32_603, message: 'not now' };
    request.session.send({ jsonrpc: '2.0', id: request.message.id, error });
  }

  /** Tells of another task than it was asked for. Other requests it answers. */
  answerForAnother(request: PendingRequest): void {
    const { id, method, params = {} } = request.message;
    const asked = this.tasks.find(({ taskId }) => taskId === params['taskId']);
    const other = this.tasks.find((task) => task !== asked && isEnd(task.status));
    if (method !== 'tasks/get' || asked === undefined || other === undefined) {
      this.answer(request);
      return;
    }
    this.drop(request);
    asked.wrongAnswers += 1;
    const result = { resultType: 'complete', ...this.snapshot(other) };
    request.session.send({ jsonrpc: '2.0', id, result });
  }

  drop(request: PendingRequest): void {
    const index = this.pending.indexOf(request);
    if (index >= 0) this.pending.splice(index, 1);
  }

  /** What `tasks/get` says of a task now. */
  snapshot(task: ScriptedTask): Record<string, unknown> {
    const open = [...task.questions].filter(([, answers]) => answers.length === 0);
    return {
      taskId: task.taskId,
      status: task.status,
      statusMessage: `said ${task.said}`,
      createdAt: CREATED_AT,
      lastUpdatedAt: new Date(task.updatedAt).toISOString(),
      ttlMs: null,
      pollIntervalMs: 100,
      ...(task.status === 'input_required' && {
        inputRequests: Object.fromEntries(open.map(([key]) => [key, question(task, key)])),
      }),
      ...(task.status === 'completed' && { result: resultOf(task.call) }),
      ...(task.status === 'failed' && { error: { code: -32_000, message: `failed ${task.call}` } }),
    };
  }

  /** Tells a snapshot to whoever listens for the tasks of these ids. */
  notify(snapshot: Record<string, unknown>): void {
    for (const session of this.#sessions) session.notify(snapshot);
  }

  say(task: ScriptedTask): void {
    task.said += 1;
    // What is told later is of a later moment: nobody could tell otherwise.
    task.updatedAt = Math.max(Date.now(), task.updatedAt + 1);
  }

  ask(task: ScriptedTask): void {
    if (isEnd(task.status)) return;
    task.questions.set(`key-${task.questions.size}`, []);
    task.status = 'input_required';
    task.updatedAt = Math.max(Date.now(), task.updatedAt);
  }

  end(task: ScriptedTask, status: 'completed' | 'failed' | 'cancelled'): void {
    if (isEnd(task.status)) return;
    task.status = status;
    task.updatedAt = Math.max(Date.now(), task.updatedAt);
  }

  /** Takes what a session heard. */
  take(session: Session, message: Message): void {
    const { id, method, params = {} } = message;
    if (id === undefined || method === undefined) return;
    this.counts.set(method, (this.counts.get(method) ?? 0) + 1);
    const asked = this.tasks.find(({ taskId }) => taskId === params['taskId']);
    if (method === 'tasks/get' && asked?.endDelivered === true) asked.asksAfterEnd += 1;
    const usual = this.#usual(method);
    if (usual !== undefined) {
      const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...usual };
      session.send({ jsonrpc: '2.0', id, result });
    } else if (method === 'subscriptions/listen') {
      this.#listen(session, id, params);
    } else this.pending.push({ session, message });
  }

  #listen(session: Session, id: number | string, params: Record<string, unknown>): void {
    if (!this.takesTaskIds) {
      session.send({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } });
      return;
    }
    const { taskIds = [] } = (params['notifications'] ?? {}) as { taskIds?: string[] };
    const known = taskIds.filter((taskId) => this.tasks.some((task) => task.taskId === taskId));
    session.listens.set(id, known);
    session.send({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: { [SUBSCRIPTION]: id }, notifications: { taskIds: known } },
    });
  }

  #usual(method: string): object | undefined {
    if (method === 'server/discover') {
      return {
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {}, extensions: { [EXTENSION]: {} } },
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'scripted', version: '1' } },
      };
    }
    if (method !== 'tools/list') return undefined;
    return { tools: [{ name: 'long', inputSchema: { type: 'object' } }] };
  }

  #act({ method, params = {} }: Message): object {
    if (method === 'tools/call') {
      const { call } = params['arguments'] as { call: number };
      this.runs.set(call, (this.runs.get(call) ?? 0) + 1);
      const task: ScriptedTask = {
        taskId: `task-${this.tasks.length}-of-call-${call}`,
        call,
        status: 'working',
        updatedAt: Date.now(),
        said: 0,
        questions: new Map(),
        cancels: 0,
        wrongAnswers: 0,
        asksAfterEnd: 0,
        endDelivered: false,
      };
      this.tasks.push(task);
      return { result: { resultType: 'task', ...this.snapshot(task) } };
    }
    const task = this.tasks.find(({ taskId }) => taskId === params['taskId']);
    if (task === undefined) return { error: { code: -32_602, message: 'Task not found' } };
    if (method === 'tasks/update') {
      for (const [key, answer] of Object.entries(params['inputResponses'] as object)) {
        task.questions.get(key)?.push(answer);
      }
      const isOpen = [...task.questions.values()].some((answers) => answers.length === 0);
      if (task.status === 'input_required' && !isOpen) task.status = 'working';
      task.updatedAt = Math.max(Date.now(), task.updatedAt);
      return { result: { resultType: 'complete' } };
    }
    if (method === 'tasks/cancel') {
      task.cancels += 1;
      this.end(task, 'cancelled');
      return { result: { resultType: 'complete' } };
    }
    return { result: { resultType: 'complete', ...this.snapshot(task) } };
  }
}

/** One connection of the client. */
class Session implements MountableServer {
  readonly listens = new Map<number | string, string[]>();
  readonly #server: ScriptedTasks;
  #transport: Transport | undefined;

  constructor(server: ScriptedTasks) {
    this.#server = server;
  }

  async connect(transport: Transport): Promise<void> {
    this.#transport = transport;
    transport.onmessage = (message) => this.#server.take(this, message as Message);
    await transport.start();
  }

  async close(): Promise<void> {
    const transport = this.#transport;
    this.#transport = undefined;
    await transport?.close();
  }

  cut(): void {
    void this.close();
  }

  send(message: object): void {
    void this.#transport?.send(message as Parameters<Transport['send']>[0]);
  }

  notify(snapshot: Record<string, unknown>): void {
    for (const [id, taskIds] of this.listens) {
      if (!taskIds.includes(String(snapshot['taskId']))) continue;
      const params = { ...snapshot, _meta: { [SUBSCRIPTION]: id } };
      this.send({ jsonrpc: '2.0', method: 'notifications/tasks', params });
    }
  }
}

/** Whether a status is final. */
export function isEnd(status: unknown): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** The result of the task of a call. */
export function resultOf(call: number): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text: `result of ${call}` }] };
}

function question(task: ScriptedTask, key: string): object {
  return {
    method: 'elicitation/create',
    params: {
      mode: 'form',
      message: `${task.taskId} ${key}`,
      requestedSchema: { type: 'object', properties: { text: { type: 'string' } } },
    },
  };
}
