/// <reference lib="esnext.disposable" preserve="true" />
import type {
  Client,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Implementation,
  LoggingLevel,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  ServerCapabilities,
} from '@modelcontextprotocol/client';
import type { ConnectionState } from '../connection/state.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { OnceOptions } from './next-event.js';
import type { ResultWithData } from './result-data.js';
import type { StandardSchema } from './standard-schema.js';
import type { ToolHandle } from './tool-handle.js';
import type { ToolStreamEvent, ToolStreamOptions } from './tool-stream.js';
import type { AnyTools, CallParameters, ToolName, ToolResult, ToolTypes } from './tool-types.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  OperationOptions,
  TaskHandle,
  ToolSource,
} from './types.js';
import type { CloseOptions } from './under-way.js';

/**
 * Where tools come from, and what is known of them when the program is compiled: what a client, a pool
 * and a group have in common.
 */
export interface TypedToolSource<Tools extends ToolTypes<Tools> = AnyTools> extends ToolSource {
  /**
   * Calls a tool. A tool that reports an error (`isError: true`) is a result, not an exception, but
   * with `throwOnToolError` or `result`.
   * Structured content is checked against the `outputSchema` that the tool was listed with. A result
   * that is not in the form of the protocol is corrected, and an `error` event says how.
   *
   * With `result`, a schema, the result has what that makes of its data as `data`.
   *
   * @throws ToolResultError, with the result, if the tool ran; LongwireError with code and certainty.
   */
  callTool<Name extends ToolName<Tools>, Data>(
    name: Name,
    args: Tools[Name]['arguments'],
    options: CheckedCallOptions<Data>,
  ): Promise<ResultWithData<Data>>;
  callTool<Name extends ToolName<Tools>>(
    name: Name,
    ...rest: CallParameters<Tools[Name], CallToolOptions>
  ): Promise<ToolResult<Tools[Name]>>;
  /** A handle on one tool. Asks nothing of the server. */
  tool<Name extends ToolName<Tools>>(name: Name): ToolHandle<Tools[Name]>;
}

/** One server, by one connection or several: what a client and a pool have in common. */
export interface ServerSource<Tools extends ToolTypes<Tools> = AnyTools>
  extends TypedToolSource<Tools>, AsyncDisposable {
  /** Whether what the server says of its tools is believed, as the program says. */
  readonly trusted: boolean;
  /** How long its calls may take that say nothing of it; in a pool, the time in its queue included. */
  readonly timeouts: CallTimeouts;
  /** Whether the hints of its server may lead to a second run. */
  readonly trustHints: boolean;
  /** The state of the connection; of several, that of the best. */
  readonly state: ConnectionState;
  /** What it has done so far, in numbers: a copy. */
  stats(): ClientStats;
  /**
   * Asks the server whether it is there.
   *
   * @throws LongwireError `aborted`; a server that does not answer is no error, but `down`.
   */
  health(options?: HealthOptions): Promise<Health>;
  /**
   * A handle on a task that a call has become, of this process or another: see `onTask` of a call. Asks
   * nothing of the server. In a pool of several targets they must share their tasks.
   *
   * @throws TypeError for what is no id.
   */
  task(taskId: string): TaskHandle;
  /** All resources, every page, as the server sent them. */
  listResources(options?: OperationOptions): Promise<Resource[]>;
  /** All resource templates, every page, as the server sent them. */
  listResourceTemplates(options?: OperationOptions): Promise<ResourceTemplateType[]>;
  /** All prompts, every page, as the server sent them. */
  listPrompts(options?: OperationOptions): Promise<Prompt[]>;
  /** Reads a resource. */
  readResource(uri: string, options?: OperationOptions): Promise<ReadResourceResult>;
  /** Gets a prompt, with its arguments filled in. */
  getPrompt(
    name: string,
    args?: Record<string, string>,
    options?: OperationOptions,
  ): Promise<GetPromptResult>;
  /** Asks for completions of an argument. */
  complete(params: CompleteRequestParams, options?: OperationOptions): Promise<CompleteResult>;
  /** Listens; the function returned stops listening. */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void;
  /**
   * Waits for the next event of a kind.
   *
   * @throws LongwireError `aborted`, `timeout`, or `closed` when it is closed meanwhile.
   */
  once<Event extends keyof ClientEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<ClientEvents[Event]>;
  /**
   * Whether `close()` was called, and nothing has been asked since: it drains, or is closed. Not so of a
   * client with `keepAlive: false`, which closes by itself.
   */
  readonly isClosing: boolean;
  /**
   * Closes; fulfilled when nothing is left open. The next call connects again.
   *
   * - Calls under way fail with code `closed`, and say which they were.
   * - With `drainMs` they have so long to finish, those included that wait in a queue or for a server
   *   that is away. Other calls meanwhile fail with code `closed`, certainly not sent.
   * - `onCut` is told of each call that did not finish.
   *
   * @throws TypeError that names the option.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * One server: typed calls over a connection that is dialled when it is first needed, and reconnects
 * when it is lost. `connect` and `createClient` make one, and `fakeClient` of `@longwire/testing`
 * one without a server.
 *
 * `Tools` is what is known of its tools when the program is compiled (see {@link ToolTypes}): names,
 * arguments and structured results are then checked by the compiler. Default: any.
 */
export interface LongwireClient<
  Tools extends ToolTypes<Tools> = AnyTools,
> extends ServerSource<Tools> {
  /** The name given, else the server's own once it is known, else the target's host. */
  readonly name: string;
  /**
   * The official SDK's client underneath, for all that is not here. Another one replaces it when the
   * server returns in another era of the protocol.
   */
  readonly sdk: Client;
  /** Who the server says it is, once connected. */
  readonly server: Implementation | undefined;
  /** What the server says it can do, once connected. */
  readonly capabilities: ServerCapabilities | undefined;
  /** The protocol version agreed on, once connected. */
  readonly protocolVersion: string | undefined;
  /** What the server says about how to use it, once connected. */
  readonly instructions: string | undefined;
  /**
   * The same client as one principal: a user of the program, for whom calls are made. It is a light
   * view, to be made for every request.
   *
   * - The same `principal` is the same user, whoever asks: it has a session of its own, which is opened
   *   when it is first used and closed when it is idle (see `principals` of the client). Nothing that a
   *   server gives to one principal ever reaches another: no session, list, result, token or cookie.
   * - `headers` and `token` are the principal's credentials. Those given last go for it, and without new
   *   ones those before. With credentials of its own, none of the client's goes with its requests:
   *   neither `auth`, nor user info of the URL, nor a header with the name of a credential. Without,
   *   the client speaks for it, in a session that is closed when the principal gets credentials.
   * - `close()` of the view closes the principal's session, `close()` of the client all of them.
   *
   * @throws TypeError for a name that is none, for credentials that cannot be sent, and for
   * credentials where the server is not reached by HTTP.
   */
  as(principal: string, credentials?: PrincipalCredentials): LongwireClient<Tools>;
  /**
   * Connects now instead of on the next call. Harmless when connected.
   *
   * @throws ConnectError; LongwireError `aborted`, `closed`.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Calls a tool, and yields its progress, log messages, and its result at the end. Servers do not say
   * which call a log message belongs to: all that come while the call runs are yielded. Leaving the
   * loop early aborts the call. A loop that is slower than the server misses progress that later
   * progress has overtaken; see `bufferSize`.
   *
   * @throws TypeError for an option that is wrong; within the loop, as `callTool`.
   */
  stream<Name extends ToolName<Tools>, Data>(
    name: Name,
    args: Tools[Name]['arguments'],
    options: ToolStreamOptions & { result: StandardSchema<Data> },
  ): AsyncGenerator<ToolStreamEvent<ResultWithData<Data>>, void, undefined>;
  stream<Name extends ToolName<Tools>>(
    name: Name,
    ...rest: CallParameters<Tools[Name], ToolStreamOptions>
  ): AsyncGenerator<ToolStreamEvent<ToolResult<Tools[Name]>>, void, undefined>;
  /** Asks for `notifications/resources/updated` when a resource changes. */
  subscribeResource(uri: string, options?: OperationOptions): Promise<void>;
  /** Ends a subscription. */
  unsubscribeResource(uri: string, options?: OperationOptions): Promise<void>;
  /** Asks for log messages of this level and above. */
  setLogLevel(level: LoggingLevel, options?: OperationOptions): Promise<void>;
}

/** Whether a source is a single client: a pool cannot be connected, and a group has no resources. */
export function isClient(source: ToolSource): source is LongwireClient {
  return 'connect' in source && 'readResource' in source;
}
