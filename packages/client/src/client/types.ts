import type {
  CallToolResult,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  Implementation,
  LoggingMessageNotificationParams,
  Progress,
  Root,
  Tool,
  ToolAnnotations,
} from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { ConnectionState } from '../connection/state.js';
import type { ConnectionOptions, Timeouts } from '../options/connection-options.js';
import type {
  PrincipalCredentials,
  PrincipalOption,
  PrincipalsOptions,
} from '../options/principal-options.js';
import type { TaskState } from '../tasks/snapshot.js';
import type { StandardSchema } from './standard-schema.js';

/**
 * What a call does while its server is away: its connection was lost, or could not be made.
 *
 * - `wait`: it waits until the server is back, within its time limits.
 * - `fail`: it fails at once. The connection is dialled in the background, so that later calls find the
 *   server. A first dial that is under way is waited for. What was sent when the connection was lost, and
 *   may be answered or sent again on the next one, waits for one dial.
 * - `{ waitMs }`: it waits for so long at most, in milliseconds.
 *
 * It fails with `connection-lost` if the server was there before, else with the code of the dial; certainly
 * not sent, unless it had been.
 */
export type WhenAway = 'wait' | 'fail' | { waitMs: number };

/** A call waits for a server that is away. */
export interface Waiting {
  /** What the server's client is called. */
  server: string;
  /** What waits: `the call of echo`. */
  what: string;
  /** Why the server is away: what failed last. */
  reason: LongwireError;
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** When it is tried again, in milliseconds since 1970; `undefined`: it is being tried now. */
  nextTryAt: number | undefined;
}

/** Options of every operation. */
export interface OperationOptions {
  /** Ends the operation early, with code `aborted`. The server is told. */
  signal?: AbortSignal;
  /**
   * How long it may go without an answer or progress, in milliseconds. For a call that has become a task
   * whatever its server says of the task is a sign of life: a silent task may go on for longer. Default:
   * `timeouts.callMs` of the client.
   */
  timeoutMs?: number;
  /**
   * How long it may take in all, progress or not, in milliseconds. Default: `timeouts.deadlineMs` of
   * the client.
   */
  deadlineMs?: number;
  /**
   * Headers of the requests of this operation alone. They override the client's own of the same
   * name, on transports that have headers. Reserved ones are a `TypeError`, as for the client's.
   * Default: none.
   */
  headers?: Readonly<Record<string, string>>;
  /** What it does while its server is away: see {@link WhenAway}. Default: the client's. */
  whenAway?: WhenAway;
  /** Called when it begins to wait for a server that is away. */
  onWaiting?: (waiting: Waiting) => void;
  /**
   * For whom this operation is made: `{ id, headers, token }`, as `client.as(id, { headers, token })`
   * for it alone. Default: for nobody but the client.
   */
  principal?: PrincipalOption;
}

/** How long a call may take that says nothing of it, in milliseconds. */
export type CallTimeouts = Readonly<Required<Pick<Timeouts, 'callMs' | 'deadlineMs'>>>;

/** Options of a tool call. */
export interface CallToolOptions extends OperationOptions {
  /** Called with each progress notification of this call, in order. */
  onProgress?: (progress: Progress) => void;
  /**
   * Called when the server has made a task of the call, once: the task can be taken up again, in another
   * process too, with `client.task(taskId)`. The call goes on, and gives the task's result, also when this
   * throws, or gives a promise that rejects.
   */
  onTask?: (task: TaskHandle) => void;
  /**
   * This call does no harm when it runs twice. It is sent again when the connection is lost, as is
   * that of a tool which the server lists as read-only or idempotent (see `retry.trustHints`).
   * Default `false`.
   */
  idempotent?: boolean;
  /**
   * What the data of the result has to be: its structured content, else the JSON that its one text is. A
   * schema of zod, valibot, arktype, or any other that follows Standard Schema. The call then has what
   * the schema makes of it as `data`, and fails with a `ToolResultError` if it does not fit, or if the
   * tool reports an error. Default: not checked.
   */
  result?: StandardSchema;
  /**
   * A tool that reports an error (`isError: true`) makes the call fail with a `ToolResultError`, of code
   * `tool-error`, with what it says. Default: `throwOnToolError` of the client.
   */
  throwOnToolError?: boolean;
}

/** Options of a call whose data is checked. */
export type CheckedCallOptions<Data> = CallToolOptions & { result: StandardSchema<Data> };

/**
 * A call that a server has made a task of: its answer is kept on the server. Whoever knows the id, and
 * has the credentials of who made it, can wait for the result, in any process.
 */
export interface TaskHandle {
  /** The id that the server gave it. */
  readonly taskId: string;
  /** What the server is called: in a group, its name there. */
  readonly server: string;
  /**
   * Asks how the task is, once.
   *
   * @throws LongwireError; `server-error` if the server does not know the task.
   */
  status(options?: OperationOptions): Promise<TaskState>;
  /**
   * Waits for the end of the task, and gives its result, as the call that made it would. What the task
   * asks for meanwhile is answered by the client's `handlers`. Whoever waits no longer (by `signal`,
   * `timeoutMs` or `deadlineMs`) does not cancel the task.
   *
   * @throws as the call that made it; `server-error` if the server does not know the task. Unless its server
   * says so, never with a certainty that the task has not run.
   */
  result(options?: CallToolOptions): Promise<CallToolResult>;
  /**
   * Says to the server that the task is not wanted any more; fulfilled when it has taken that. Whether
   * and when the task ends is the server's to decide.
   *
   * @throws LongwireError; `server-error` if the server does not know the task.
   */
  cancel(options?: OperationOptions): Promise<void>;
}

/** A notification of the server, as it came. */
export interface ServerNotification {
  method: string;
  params?: Record<string, unknown>;
}

/** Progress of a call, and of which tool. */
export interface ToolProgress extends Progress {
  tool: string;
}

/** What a client reports, by event name. */
export interface ClientEvents {
  /** The connection's state changed. */
  state: ConnectionState;
  /**
   * The server sent a notification: also each that is a `log`, a `resourceUpdated` or a change of a list.
   * Progress of a call is `progress`.
   */
  notification: ServerNotification;
  /** The server sent a log message: its `level`, its `data`, and maybe the name of a `logger`. */
  log: LoggingMessageNotificationParams;
  /** A resource that the program subscribed to changed, or may have; read it again. */
  resourceUpdated: { uri: string };
  /** The server's list of tools changed; ask for it again. */
  toolsChanged: undefined;
  /** A call begins to wait for the server, which is away. */
  waiting: Waiting;
  /** The server's list of resources changed; ask for it again. */
  resourcesChanged: undefined;
  /** The server's list of prompts changed; ask for it again. */
  promptsChanged: undefined;
  /** A call of a tool made progress, whichever call it is. */
  progress: ToolProgress;
  /** Something failed that belongs to no call. Never thrown for lack of a listener. */
  error: LongwireError;
}

/**
 * Where tools come from: one server, or many as one. A client, a pool and a group are all this,
 * and it is all that the agent needs.
 */
export interface ToolSource {
  /** A short name, for prefixes and logs. */
  readonly name: string;
  /**
   * Whether what its server says of its tools (`readOnlyHint`, `destructiveHint`) is believed where
   * somebody would be asked otherwise. Default: no.
   */
  readonly trusted?: boolean;
  /**
   * The hints of a listed tool that are believed, for a source whose servers are not trusted alike.
   * Default: all of them if it is `trusted`, else none.
   */
  trustedHints?(tool: Tool): ToolAnnotations | undefined;
  /** How long its calls may take that say nothing of it. Default: what a client has by default. */
  readonly timeouts?: CallTimeouts;
  /**
   * Whether a call may be sent again because the server says so of its tool (`retry.trustHints`).
   * Default: yes.
   */
  readonly trustHints?: boolean;
  /** All tools, every page, as the server sent them. */
  listTools(options?: OperationOptions): Promise<Tool[]>;
  /**
   * Calls a tool. A tool that reports an error (`isError: true`) is a result, not an exception.
   *
   * @throws LongwireError with a code and a certainty.
   */
  callTool(name: string, args?: object, options?: CallToolOptions): Promise<CallToolResult>;
  /**
   * The handle of a task that a call has become, of this process or another. `server` says which server
   * made it, where there are many. A source without it takes up none.
   */
  task?(taskId: string, server?: string): TaskHandle;
  /** Listens for changes of the list of tools; the function returned stops listening. */
  on(event: 'toolsChanged', listener: () => void): () => void;
  /**
   * The same source as one principal: see `client.as`. A source without it serves nobody but the
   * program.
   */
  as?(principal: string, credentials?: PrincipalCredentials): ToolSource;
}

/** What a handler is told beside what the server asks. */
export interface ServerRequestContext {
  /** Aborted when the server withdraws the question, or its session ends. */
  signal: AbortSignal;
  /** Whose session it is, as `client.as` was told; `undefined` for that of the client itself. */
  principal: string | undefined;
}

/**
 * What the server may ask of the program. Each one given is announced as a capability. While one
 * answers, a person may be thinking: the idle time of the calls under way begins anew afterwards, and
 * only their deadline ends them meanwhile.
 */
export interface ServerRequestHandlers {
  /** Answers `roots/list`. */
  roots?: (context: Pick<ServerRequestContext, 'principal'>) => Root[] | Promise<Root[]>;
  /** Answers `sampling/createMessage`. */
  sampling?: (
    params: CreateMessageRequestParams,
    context: ServerRequestContext,
  ) => CreateMessageResult | Promise<CreateMessageResult>;
  /** Answers `elicitation/create` with a form. */
  elicitation?: (
    params: ElicitRequestFormParams,
    context: ServerRequestContext,
  ) => ElicitResult | Promise<ElicitResult>;
  /**
   * Answers `elicitation/create` with an address that a person has to open. The address is the
   * server's word: show it whole, and open it only when the person agrees.
   */
  urlElicitation?: (
    params: ElicitRequestURLParams,
    context: ServerRequestContext,
  ) => ElicitResult | Promise<ElicitResult>;
}

/** Options of a client: those of its connection, and what is said of and by the client. */
export interface ClientOptions extends ConnectionOptions {
  /** How long things may take. */
  timeouts?: Timeouts;
  /**
   * A short name for this server. Default: the target's host, or the server's own name once it is
   * known.
   */
  name?: string;
  /** Who this client is, as the server is told. Default: `longwire` with its version. */
  clientInfo?: Implementation;
  /**
   * Whether what the server says of its tools is believed where somebody would be asked otherwise.
   * That a tool only reads, or destroys nothing, is the server's word alone. Default `false`.
   */
  trusted?: boolean;
  /**
   * A tool that reports an error (`isError: true`) makes its call fail with a `ToolResultError`. Otherwise
   * that is a result like any other. Default `false`.
   */
  throwOnToolError?: boolean;
  /** Answers to what the server may ask. Default: none. */
  handlers?: ServerRequestHandlers;
  /**
   * Whether the connection stays open between calls. With `false` the client connects for a call, and
   * closes as soon as nothing is under way and the program, told of the last result, has asked for
   * nothing else in the same turn. How the server talks and what its tools were listed to be is
   * kept, and not asked again; but while there is no connection no notification is heard, and what
   * belongs to a session ends with it: subscriptions, the log level, what goes through `sdk`. With
   * a listener for `toolsChanged` each connection compares the list of tools with that of before.
   * Default `true`.
   */
  keepAlive?: boolean;
  /** What calls do while the server is away: see {@link WhenAway}. Default `wait`. */
  whenAway?: WhenAway;
  /** How many principals the client serves by `as`, and for how long. */
  principals?: PrincipalsOptions;
}

/** The hints of a tool that are believed: see {@link ToolSource.trusted}. */
export function trustedHintsOf(source: ToolSource, tool: Tool): ToolAnnotations | undefined {
  if (source.trustedHints !== undefined) return source.trustedHints(tool);
  return source.trusted === true ? tool.annotations : undefined;
}
