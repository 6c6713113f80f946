/// <reference lib="esnext.disposable" preserve="true" />
import {
  Client,
  type CallToolResult,
  type CompleteRequestParams,
  type CompleteResult,
  type GetPromptResult,
  type Implementation,
  type LoggingLevel,
  type Prompt,
  type ReadResourceResult,
  type Resource,
  type ResourceTemplateType,
  type ServerCapabilities,
  type Tool,
} from '@modelcontextprotocol/client';
import { requestContext } from '../connection/request-context.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { resolveConnectionOptions } from '../connection/resolve-options.js';
import type { ConnectionState } from '../connection/state.js';
import { checkHealth, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { parseTarget, type Target, type TargetOption } from '../dial/target.js';
import { setPeer } from '../telemetry/peer.js';
import { CallClock } from './call-clock.js';
import { Call, type SharedCallOptions } from './call.js';
import { CurrentConnection } from './current-connection.js';
import { Idle } from './idle.js';
import { ToolCatalog } from '../tools/catalog.js';
import { Listeners } from './listeners.js';
import { createSdkClient, NEVER_MS } from './sdk-client.js';
import { SdkSide } from './sdk-side.js';
import { ToolCalls } from './tool-calls.js';
import { callTimeouts, checkClientOptions, checkOperationOptions } from './options.js';
import { readPages } from './pages.js';
import { fromSdkError, reportable } from './sdk-errors.js';
import { ToolHandle } from './tool-handle.js';
import { LogTap, streamTool, type ToolStreamEvent, type ToolStreamOptions } from './tool-stream.js';
import type {
  CallTimeouts,
  CallToolOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  ServerSource,
} from './types.js';

/**
 * One server: typed calls over a connection that is dialled when it is first needed, and reconnects
 * when it is lost.
 */
export class LongwireClient implements ServerSource {
  /** Whether what the server says of its tools is believed, as the program says. */
  readonly trusted: boolean;
  /** How long its calls may take that say nothing of it. */
  readonly timeouts: CallTimeouts;
  /** Whether the hints of its server may lead to a second run. */
  readonly trustHints: boolean;
  readonly #sdkSide: SdkSide;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #shared: SharedCallOptions;
  readonly #connection: CurrentConnection;
  readonly #catalog: ToolCatalog;
  readonly #toolCalls: ToolCalls;
  readonly #tally: Tally;
  readonly #logs = new LogTap();
  readonly #report = (error: unknown): void => {
    this.#listeners.emit('error', reportable(error));
  };

  /** Use {@link createClient} or {@link connect}. */
  constructor(
    target: TargetOption,
    options: ClientOptions = {},
    catalog: ToolCatalog = new ToolCatalog(),
  ) {
    checkClientOptions(options);
    this.#target = parseTarget(target);
    this.#options = options;
    this.trusted = options.trusted === true;
    const connectionOptions = resolveConnectionOptions(options, this.#target.kind, catalog.client);
    this.trustHints = connectionOptions.trustHints;
    connectionOptions.name = options.name;
    setPeer(this, this.#target, options.name);
    connectionOptions.keepsScopes ||= options.handlers !== undefined;
    this.#listeners = new Listeners(this.#report);
    const idle = options.keepAlive === false ? new Idle(0, () => void this.close()) : undefined;
    this.timeouts = callTimeouts(options.timeouts);
    const { timeouts } = this;
    this.#shared = { clock: new CallClock(), timeouts, onListenerError: this.#report, idle };
    this.#tally = new Tally(connectionOptions.counts);
    this.#sdkSide = new SdkSide({
      create: () => this.#createSdk(),
      stepMs: connectionOptions.connectMs,
      onMessage: (message) => this.#logs.take(message),
      onFailure: this.#report,
    });
    this.#catalog = catalog;
    this.#toolCalls = new ToolCalls({
      catalog,
      throughSdk: (send) => this.#sdkSide.attached.then(() => send(this.sdk)),
      report: this.#report,
    });
    this.#connection = new CurrentConnection({
      target: this.#target,
      options: connectionOptions,
      catalog,
      sdkSide: this.#sdkSide,
      tally: this.#tally,
      wantsLists: () => this.#listeners.has('notification') || this.#listeners.has('toolsChanged'),
      onState: (state) => this.#listeners.emit('state', state),
    });
  }

  /**
   * The official SDK's client underneath, for all that is not here. Another one replaces it when the
   * server returns in another era of the protocol.
   */
  get sdk(): Client {
    return this.#sdkSide.client;
  }

  /** The name given, else the server's own once it is known, else the target's host. */
  get name(): string {
    return this.#options.name ?? this.server?.name ?? this.#target.name;
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#connection.latest?.state ?? { name: 'idle' };
  }

  /** Who the server says it is, once connected. */
  get server(): Implementation | undefined {
    return this.#connection.latest?.server?.serverInfo ?? this.sdk.getServerVersion();
  }

  /** What the server says it can do, once connected. */
  get capabilities(): ServerCapabilities | undefined {
    return this.#connection.latest?.server?.capabilities ?? this.sdk.getServerCapabilities();
  }

  /** The protocol version agreed on, once connected. */
  get protocolVersion(): string | undefined {
    return (
      this.#connection.latest?.server?.protocolVersion ?? this.sdk.getNegotiatedProtocolVersion()
    );
  }

  /** What the server says about how to use it, once connected. */
  get instructions(): string | undefined {
    return this.#connection.latest?.server?.instructions ?? this.sdk.getInstructions();
  }

  /** What it has done so far, in numbers: a picture of now. */
  stats(): ClientStats {
    return this.#tally.read(this.#connection.latest?.droppedAnswers ?? 0);
  }

  /**
   * Asks the server whether it is there. It does not dial: without a connection the server is `down`.
   * The check counts as no call.
   *
   * @throws LongwireError `aborted`, and nothing else: what is wrong is the answer.
   */
  health(options: HealthOptions = {}): Promise<Health> {
    return checkHealth(this.#connection.latest, this.#tally, options);
  }

  /**
   * Connects now instead of on the next call. Harmless when connected.
   *
   * @throws ConnectError; LongwireError `aborted`, `closed`.
   */
  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    // `timeouts.connectMs` limits it.
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    const call = new Call('connecting', limits, this.#shared);
    await call.during(this.#connection.open().then((connection) => connection.open()));
  }

  /** All tools, every page, as the server sent them. */
  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#list<Tool>('tools/list', 'tools', 'name', options);
    return this.#catalog.take(tools, this.sdk.getProtocolEra(), this.#report);
  }

  /** All resources, every page, as the server sent them. */
  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    return this.#list('resources/list', 'resources', 'uri', options);
  }

  /** All resource templates, every page, as the server sent them. */
  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#list('resources/templates/list', 'resourceTemplates', 'uriTemplate', options);
  }

  /** All prompts, every page, as the server sent them. */
  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    return this.#list('prompts/list', 'prompts', 'name', options);
  }

  /**
   * Calls a tool. A tool that reports an error (`isError: true`) is a result, not an exception.
   * Structured content is checked against the `outputSchema` that the tool was listed with. A result that
   * is not in the form of the protocol is corrected, and an `error` event says how.
   *
   * @throws ToolResultError, with the result, if the tool ran; LongwireError with code and certainty.
   */
  callTool(
    name: string,
    args: Record<string, unknown> = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const params = { name, arguments: args };
    // What is listed while the call runs applies to the next one.
    const isPromised = this.#catalog.promisesOutput(name);
    const run = async (connection: ReconnectingTransport, own: Call): Promise<CallToolResult> => {
      const result = await this.#toolCalls.call(connection, params, own);
      if (!isPromised) return result;
      return this.#catalog.checkOutput(name, result, this.#report);
    };
    return this.#during(`the call of ${name}`, options, run, name);
  }

  /**
   * Calls a tool, and yields its progress, log messages, and its result at the end. Servers do not say
   * which call a log message belongs to: all that come while the call runs are yielded. Leaving the
   * loop early aborts the call. A loop that is slower than the server misses progress that later
   * progress has overtaken; see `bufferSize`.
   *
   * @throws TypeError for an option that is wrong; within the loop, as `callTool`.
   */
  stream(
    tool: string,
    args: Record<string, unknown> = {},
    options: ToolStreamOptions = {},
  ): AsyncGenerator<ToolStreamEvent, void, undefined> {
    const call = (own: CallToolOptions): Promise<CallToolResult> => this.callTool(tool, args, own);
    return streamTool({ call, logs: this.#logs }, options);
  }

  /** A handle on one tool. Asks nothing of the server. */
  tool(name: string): ToolHandle {
    return new ToolHandle(this, name);
  }

  /** Reads a resource. */
  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.#throughSdk(`reading ${uri}`, { uri }, options, (params) =>
      this.sdk.readResource(params, { timeout: NEVER_MS }),
    );
  }

  /** Gets a prompt, with its arguments filled in. */
  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    const params = { name, arguments: args };
    return this.#throughSdk(`getting the prompt ${name}`, params, options, (own) =>
      this.sdk.getPrompt(own, { timeout: NEVER_MS }),
    );
  }

  /** Asks for completions of an argument. */
  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#throughSdk('completing an argument', params, options, (own) =>
      this.sdk.complete(own, { timeout: NEVER_MS }),
    );
  }

  /** Asks for `notifications/resources/updated` when a resource changes. */
  subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.#ask('resources/subscribe', { uri }, `subscribing to ${uri}`, options);
  }

  /** Ends a subscription. */
  unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.#ask('resources/unsubscribe', { uri }, `unsubscribing from ${uri}`, options);
  }

  /** Asks for log messages of this level and above. */
  setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    return this.#ask('logging/setLevel', { level }, 'setting the log level', options);
  }

  /** Listens; the function returned stops listening. */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    if (event === 'notification' || event === 'toolsChanged') this.#connection.latest?.watchLists();
    return this.#listeners.add(event, listener);
  }

  /**
   * Closes; calls in flight fail with code `closed`. Fulfilled when nothing is left open. The next
   * call connects again.
   */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createSdk(): Client {
    const sdk = createSdkClient(this.#options, () => this.#shared.clock.hold());
    sdk.onerror = this.#report;
    sdk.fallbackNotificationHandler = async (notification) =>
      this.#notified(notification as ServerNotification);
    return sdk;
  }

  /** Reads a list, however many pages it has, within the limits of one operation. */
  #list<Entry>(
    method: string,
    key: string,
    field: string,
    options: OperationOptions,
  ): Promise<Entry[]> {
    return this.#during(method, options, (connection, call) =>
      readPages<Entry>({
        method,
        key,
        field,
        ask: (params) => connection.request({ method, params }, call),
        bounds: this.#connection.listBounds,
        onMalformed: this.#report,
      }),
    );
  }

  /** Makes a request whose result says only that it succeeded. */
  async #ask(
    method: string,
    params: Record<string, unknown>,
    what: string,
    options: OperationOptions,
  ): Promise<void> {
    await this.#during(what, options, (connection, call) =>
      connection.request({ method, params }, call),
    );
  }

  /** Makes a request through the SDK's `Client`, where it does more. */
  #throughSdk<Params extends object, T>(
    what: string,
    params: Params,
    options: OperationOptions,
    send: (params: Params) => Promise<T>,
  ): Promise<T> {
    return this.#during(what, options, async (_connection, call) => {
      try {
        const sent = this.#sdkSide.attached.then(() => send({ ...params, [requestContext]: call }));
        // Whatever the `Client` makes of the answer, the call's time limits hold.
        return await call.before(sent);
      } catch (error) {
        throw fromSdkError(error, what, call);
      }
    });
  }

  /** Runs one operation within its limits, on a connection whose handshake has succeeded. */
  async #during<T>(
    what: string,
    options: OperationOptions,
    run: (connection: ReconnectingTransport, call: Call) => Promise<T>,
    tool?: string,
  ): Promise<T> {
    checkOperationOptions(options);
    const call = new Call(what, options, this.#shared);
    this.#tally.begin(tool);
    try {
      const connection = this.#connection.ready ?? (await call.before(this.#connection.open()));
      call.sendOn(connection);
      const result = await run(connection, call);
      this.#tally.succeeded(tool, call.startedAt, result);
      return result;
    } catch (error) {
      this.#tally.failed(tool, error);
      throw error;
    } finally {
      call.done();
    }
  }

  #notified(notification: ServerNotification): void {
    if (notification.method === 'notifications/tools/list_changed') {
      this.#catalog.forgetOutputs();
      this.#listeners.emit('toolsChanged', undefined);
    }
    this.#listeners.emit('notification', notification);
  }
}
