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
  type Result,
  type ServerCapabilities,
  type Tool,
} from '@modelcontextprotocol/client';
import { callMark } from '../connection/call-mark.js';
import type { Connection } from '../connection/connection.js';
import { resolveConnectionOptions } from '../connection/options.js';
import type { ConnectionState } from '../connection/state.js';
import { checkHealth, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { parseTarget, type Target, type TargetOption } from '../target/target.js';
import { CallClock } from './call-clock.js';
import { Call, type CallSurroundings } from './call.js';
import { CurrentConnection } from './current-connection.js';
import { Idle } from './idle.js';
import { Learned } from './learned.js';
import { Listeners } from './listeners.js';
import { createSdkClient, NEVER_MS } from './sdk-client.js';
import { SdkSide } from './sdk-side.js';
import { ToolCalls } from './tool-calls.js';
import { checkClientOptions, checkOperationOptions } from './options.js';
import { readPages } from './pages.js';
import { ignoreResult } from './results.js';
import { fromSdkError, reportable } from './sdk-errors.js';
import { ToolHandle } from './tool-handle.js';
import { LogTap, streamTool, type ToolStreamEvent, type ToolStreamOptions } from './tool-stream.js';
import type {
  CallToolOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  ToolSource,
} from './types.js';

/**
 * One server: typed calls over a connection that is dialled when it is first needed, and comes
 * back by itself when it is lost.
 */
export class LongwireClient implements ToolSource, AsyncDisposable {
  /** Whether what the server says of its tools is believed, as the program says. */
  readonly trusted: boolean;
  readonly #sdkSide: SdkSide;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #surroundings: CallSurroundings;
  readonly #connection: CurrentConnection;
  readonly #toolCalls: ToolCalls;
  readonly #tally: Tally;
  readonly #logs = new LogTap();

  /** Use {@link createClient} or {@link connect}. */
  constructor(target: TargetOption, options: ClientOptions = {}, learned: Learned = new Learned()) {
    checkClientOptions(options);
    this.#target = parseTarget(target);
    this.#options = options;
    this.trusted = options.trusted === true;
    const connectionOptions = resolveConnectionOptions(options, this.#target.kind, learned.client);
    connectionOptions.keepsScopes ||= options.handlers !== undefined;
    const onListenerError = (error: unknown): void => this.#report(error);
    this.#listeners = new Listeners(onListenerError);
    const idle = options.keepAlive === false ? new Idle(0, () => void this.close()) : undefined;
    this.#surroundings = { clock: new CallClock(), onListenerError, idle };
    this.#tally = new Tally(connectionOptions.counts);
    this.#sdkSide = new SdkSide({
      create: () => this.#createSdk(),
      turnMs: connectionOptions.connectMs,
      onMessage: (message) => this.#logs.take(message),
      onFailure: (error) => this.#report(error),
    });
    this.#toolCalls = new ToolCalls({
      learned,
      throughSdk: (send) => this.#sdkSide.attached.then(() => send(this.sdk)),
      report: onListenerError,
    });
    this.#connection = new CurrentConnection({
      target: this.#target,
      options: connectionOptions,
      tools: this.#toolCalls.learned.tools,
      sdkSide: this.#sdkSide,
      tally: this.#tally,
      wantsLists: () => this.#listeners.has('notification') || this.#listeners.has('toolsChanged'),
      onState: (state) => this.#listeners.emit('state', state),
    });
  }

  /**
   * The official SDK's client underneath, for all that is not here. Another one takes its place
   * when the server comes back in another era of the protocol.
   */
  get sdk(): Client {
    return this.#sdkSide.client;
  }

  /** The name given, else the server's own once it is known, else the target's host. */
  get name(): string {
    return this.#options.name ?? this.server?.name ?? this.#target.name;
  }

  /** Where the connection stands. */
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
   * Asks the server whether it is there. It does not dial: without a line the server is `down`. It
   * is no call, and counts as none.
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
    // How long connecting may take is the connection's affair.
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    const call = new Call('connecting', limits, this.#surroundings);
    try {
      await call.before(this.#connection.open().then((connection) => connection.open()));
    } finally {
      call.done();
    }
  }

  /** All tools, every page, as the server sent them. */
  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#list<Tool>('tools/list', 'tools', 'name', options);
    return this.#toolCalls.learn(tools, this.sdk.getProtocolEra());
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
   * Structured content is checked against the `outputSchema` that the tool was listed with. A result in
   * another form than the protocol's is put right, and an `error` event says how.
   *
   * @throws ToolResultError, with the result, if the tool ran; LongwireError with code and certainty.
   */
  callTool(
    name: string,
    args: Record<string, unknown> = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const params = { name, arguments: args };
    // What is listed while it runs is of the next call.
    const isPromised = this.#toolCalls.learned.outputSchemas.has(name);
    const run = async (connection: Connection, own: Call): Promise<CallToolResult> => {
      const result = await this.#toolCalls.call(connection, params, own);
      return isPromised ? this.#toolCalls.check(name, result) : result;
    };
    return this.#during(`the call of ${name}`, options, run, name);
  }

  /**
   * Calls a tool, and gives what happens meanwhile to a loop: its progress, log messages, and its
   * result at the end. Of log messages the server does not say whose they are: all that come while
   * the call runs are given, of those that `setLogLevel` asked for. Leaving the loop early aborts
   * the call, and the server is told. A loop that is slower than the server misses what later
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
    return this.#throughSdk(`reading ${uri}`, { uri }, options, (marked) =>
      this.sdk.readResource(marked, { timeout: NEVER_MS }),
    );
  }

  /** Gets a prompt, with its arguments filled in. */
  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    const params = { name, arguments: args };
    return this.#throughSdk(`getting the prompt ${name}`, params, options, (marked) =>
      this.sdk.getPrompt(marked, { timeout: NEVER_MS }),
    );
  }

  /** Asks for completions of an argument. */
  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#throughSdk('completing an argument', params, options, (marked) =>
      this.sdk.complete(marked, { timeout: NEVER_MS }),
    );
  }

  /** Asks for `notifications/resources/updated` when a resource changes. */
  async subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    await this.#ask('resources/subscribe', { uri }, `subscribing to ${uri}`, options, ignoreResult);
  }

  /** Ends a subscription. */
  async unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    await this.#ask(
      'resources/unsubscribe',
      { uri },
      `unsubscribing from ${uri}`,
      options,
      ignoreResult,
    );
  }

  /** Asks for log messages of this level and above. */
  async setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    await this.#ask('logging/setLevel', { level }, 'setting the log level', options, ignoreResult);
  }

  /** Listens; the function returned stops listening. */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    if (event === 'notification' || event === 'toolsChanged') this.#connection.latest?.wantLists();
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
    const sdk = createSdkClient(this.#options);
    sdk.onerror = (error) => this.#report(error);
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
        onMalformed: (error) => this.#report(error),
      }),
    );
  }

  /** Makes a request by itself: the SDK's `Client` would add nothing to it but an id. */
  #ask<T>(
    method: string,
    params: Record<string, unknown>,
    what: string,
    options: OperationOptions,
    read: (result: Result, what: string) => T,
  ): Promise<T> {
    return this.#during(what, options, async (connection, call) =>
      read(await connection.request({ method, params }, call), what),
    );
  }

  /** Makes a request through the SDK's `Client`, where it does more. */
  #throughSdk<Params extends object, T>(
    what: string,
    params: Params,
    options: OperationOptions,
    send: (marked: Params) => Promise<T>,
  ): Promise<T> {
    return this.#during(what, options, async (_connection, call) => {
      try {
        const sent = this.#sdkSide.attached.then(() => send({ ...params, [callMark]: call }));
        // Whatever the `Client` makes of the answer, the call's time limits hold.
        return await call.before(sent);
      } catch (error) {
        throw fromSdkError(error, what, call);
      }
    });
  }

  /** Runs one operation within its limits, on a connection that has shaken hands. */
  async #during<T>(
    what: string,
    options: OperationOptions,
    run: (connection: Connection, call: Call) => Promise<T>,
    tool?: string,
  ): Promise<T> {
    checkOperationOptions(options);
    const call = new Call(what, options, this.#surroundings);
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
      this.#toolCalls.forgetSchemas();
      this.#listeners.emit('toolsChanged', undefined);
    }
    this.#listeners.emit('notification', notification);
  }

  #report(error: unknown): void {
    this.#listeners.emit('error', reportable(error));
  }
}
