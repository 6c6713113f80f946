import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  INVALID_PARAMS,
  LOG_LEVEL_META_KEY,
  McpServer,
  Server,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type ScopeChallengeHandler,
  type Transport,
} from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientCall } from '../calls/client-call.js';
import type { Principal } from '../principal.js';
import { isClusterAway } from '../cluster/cluster.js';
import { CLUSTER_AWAY, RefusedError, ONLY_SESSIONS, type Refusal } from '../refusal.js';
import type { TaskAnswer } from '../tasks/task-call.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import type { ResolvedTaskOptions } from '../tasks/task-options.js';
import { NEEDS_EXTENSION, NO_TASK, STORE_FAILED } from '../tasks/task-refusals.js';
import { askingForProgress, OWN_TOKEN } from '../tasks/task-progress.js';
import type { TaskRun } from '../tasks/task-run.js';
import type { Exchange } from './exchange.js';
import {
  canTakeTasks,
  createTaskResult,
  detailedTask,
  isObject,
  withIdentity,
} from './task-results.js';

type Result = JSONRPCResultResponse['result'];
type RpcError = JSONRPCErrorResponse['error'];

/** A call of a tool that may be a task, of a client that can take one. */
interface TaskableCall {
  readonly call: ClientCall;
  readonly options: ResolvedTaskOptions;
}

/**
 * Tasks in the stateless protocol of 2026-07-28: calls of tools that may become tasks, and the methods of
 * the extension. The SDK's handler checks each request first, its headers and scopes too, and then gets
 * one of these in the place of a server.
 *
 * @see https://modelcontextprotocol.io/seps/2663-tasks-extension
 */
export class TaskCalls {
  readonly engine: TaskEngine;

  constructor(engine: TaskEngine) {
    this.engine = engine;
  }

  /** What answers a request that the kit answers itself; `undefined` for others. */
  answering(exchange: Exchange, call: ClientCall): Server | undefined {
    if (!METHODS.has(call.method)) return undefined;
    return new AnsweringServer(call, {
      answer: () => this.#answer(call),
      away: () => exchange.refuse(CLUSTER_AWAY),
    });
  }

  /** Why a call is refused before anything is made for it: its client cannot take the task that it would be. */
  refusalOf(call: ClientCall): Refusal | undefined {
    if (canTakeTasks(call.params) || this.#optionsOf(call)?.task !== 'required') return undefined;
    return { ...NEEDS_EXTENSION, status: 400 };
  }

  /** What runs a call that may become a task; `undefined` for others. */
  running(exchange: Exchange, call: ClientCall): Promise<McpServer> | undefined {
    const options = this.#optionsOf(call);
    if (options === undefined || !canTakeTasks(call.params)) return undefined;
    return this.#prepare(exchange, { call, options });
  }

  /**
   * Names the task in the header of a request that lacks it. "The client MUST set the `Mcp-Name` header to
   * the value of `params.taskId`", and the SDK's handler asks for it, but whole families of clients do not
   * send it. A header that names another task is refused.
   */
  nameTask({ method, params }: JSONRPCRequest, headers: IncomingHttpHeaders): void {
    const taskId = params?.['taskId'];
    if (METHODS.has(method) && typeof taskId === 'string') headers['mcp-name'] ??= taskId;
  }

  /** A request as the gates and the server get it: a task tells its progress, whoever asks for it. */
  received(message: JSONRPCRequest): JSONRPCRequest {
    const { method, params = {} } = message;
    const { name } = params;
    if (method !== 'tools/call' || typeof name !== 'string' || !canTakeTasks(params))
      return message;
    return this.engine.rules.find(name) === undefined ? message : askingForProgress(message);
  }

  async #prepare(exchange: Exchange, { call, options }: TaskableCall): Promise<McpServer> {
    const front = new TaskFront();
    const { id, method, params = {} } = call;
    const meta = params._meta ?? {};
    const wantsProgress = meta.progressToken !== OWN_TOKEN;
    const message: JSONRPCRequest = { jsonrpc: '2.0', id, method, params };
    const answered = (answer: JSONRPCMessage): void => {
      exchange.answer(answer);
      front.release();
    };
    const level = meta[LOG_LEVEL_META_KEY];
    const run: TaskRun & { readonly server: object } = await this.engine.prepare({
      call,
      message,
      options,
      era: 'modern',
      client: {
        capabilities: (meta[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>,
        info: (meta[CLIENT_INFO_META_KEY] ?? {}) as Record<string, unknown>,
        ...(typeof level === 'string' && { logLevel: level }),
      },
      isAtOnce: options.task === 'required',
      caller: {
        tell: (notification) => {
          const isProgress = notification.method === 'notifications/progress';
          return isProgress && !wantsProgress ? undefined : exchange.tell(notification);
        },
        answer: (answer) => {
          const { serverInfo } = run;
          const full =
            'result' in answer ? { result: withIdentity(answer.result, serverInfo) } : answer;
          answered({ jsonrpc: '2.0', id, ...full });
        },
        becameTask: (record) => {
          exchange.handOver();
          const result = withIdentity(createTaskResult(record), run.serverInfo);
          answered({ jsonrpc: '2.0', id, result });
        },
      },
    });
    const { server } = run;
    if (!(server instanceof McpServer || server instanceof Server)) {
      run.abandon();
      throw new RefusedError(ONLY_SESSIONS);
    }
    exchange.signal.addEventListener('abort', () => run.abandon(), { once: true });
    if (exchange.signal.aborted) run.abandon();
    const start = (): void => {
      exchange.hasServer = true;
      run.start();
    };
    return front.before({ server, start, abandon: () => run.abandon() });
  }

  #optionsOf({ method, target }: ClientCall): ResolvedTaskOptions | undefined {
    return method === 'tools/call' ? this.engine.rules.find(target) : undefined;
  }

  /** Answers `tasks/get`, `tasks/update` and `tasks/cancel`. */
  async #answer(call: ClientCall): Promise<TaskAnswer> {
    const { method, params = {}, principal } = call;
    if (!canTakeTasks(params)) return { error: NEEDS_EXTENSION };
    const { taskId } = params;
    if (typeof taskId !== 'string') return { error: invalid('taskId must be a string') };
    switch (method) {
      case 'tasks/get': {
        const record = await this.engine.get(call, taskId);
        return record === undefined
          ? { error: NO_TASK }
          : this.#result(detailedTask(record), principal);
      }
      case 'tasks/update': {
        const { inputResponses } = params;
        if (!isObject(inputResponses) || !Object.values(inputResponses).every(isObject)) {
          return { error: invalid('inputResponses must be an object of results, by key') };
        }
        const answers = Object.entries(inputResponses).map(([key, result]) => [key, { result }]);
        const known = await this.engine.input(
          call,
          taskId,
          Object.fromEntries(answers) as Record<string, TaskAnswer>,
        );
        return known === undefined ? { error: NO_TASK } : this.#result({}, principal);
      }
      default: {
        const known = await this.engine.cancel(call, taskId);
        return known === undefined ? { error: NO_TASK } : this.#result({}, principal);
      }
    }
  }

  #result(result: Result, { id: principal }: Principal): TaskAnswer {
    return { result: withIdentity(result, this.engine.serverInfoOf(principal)) };
  }
}

const METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

function invalid(message: string): RpcError {
  return { code: INVALID_PARAMS, message };
}

/** Starts a transport of the SDK's handler with somebody else in the place of its server. */
async function take(
  transport: Transport,
  server: Server,
  onRequest: (message: JSONRPCRequest) => void,
): Promise<void> {
  await transport.start();
  // The SDK's handler keeps the server until then.
  transport.onclose = () => server.onclose?.();
  transport.onmessage = (message) => {
    if ('method' in message && 'id' in message) onRequest(message);
  };
}

/** How a request is answered without a server of the program. */
interface AnsweringWays {
  readonly answer: () => Promise<TaskAnswer>;
  /** The store cannot be reached: the request can be sent again. */
  readonly away: () => void;
}

/** Answers one request without a server of the program. */
class AnsweringServer extends Server {
  readonly #call: ClientCall;
  readonly #ways: AnsweringWays;

  constructor(call: ClientCall, ways: AnsweringWays) {
    super({ name: 'longwire', version: '1' });
    this.#call = call;
    this.#ways = ways;
  }

  override async connect(transport: Transport): Promise<void> {
    await take(transport, this, ({ id }) => void this.#reply(transport, id));
  }

  async #reply(transport: Transport, id: JSONRPCRequest['id']): Promise<void> {
    let answer: TaskAnswer;
    try {
      answer = await this.#ways.answer();
    } catch (error) {
      if (isClusterAway(error)) {
        this.#ways.away();
        await transport.close();
        return;
      }
      this.#call.log.error(error, 'the store of tasks failed');
      answer = { error: STORE_FAILED };
    }
    await transport.send({ jsonrpc: '2.0', id, ...answer });
  }
}

/** What a front stands before. */
interface Fronted {
  readonly server: McpServer | Server;
  start(): void;
  abandon(): void;
}

/** Stands before the server of a call, which is not connected to the client's transport. */
class TaskFront extends McpServer {
  #fronted: Fronted | undefined;
  #transport: Transport | undefined;

  constructor() {
    super({ name: 'longwire', version: '1' });
  }

  before(fronted: Fronted): this {
    this.#fronted = fronted;
    return this;
  }

  /** The request is answered. */
  release(): void {
    queueMicrotask(() => void this.#transport?.close());
  }

  override toolInputSchemaJson(name: string): ReturnType<McpServer['toolInputSchemaJson']> {
    return this.#mcpServer?.toolInputSchemaJson(name);
  }

  override resolveScopeChallenge: ScopeChallengeHandler = (context) =>
    this.#mcpServer?.resolveScopeChallenge(context);

  override async connect(transport: Transport): Promise<void> {
    this.#transport = transport;
    await take(transport, this.server, () => this.#fronted?.start());
  }

  /** The SDK's handler has refused the request. */
  override async close(): Promise<void> {
    this.#fronted?.abandon();
  }

  get #mcpServer(): McpServer | undefined {
    const server = this.#fronted?.server;
    return server instanceof McpServer ? server : undefined;
  }
}
