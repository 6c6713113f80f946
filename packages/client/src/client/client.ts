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
import { closedError } from '../connection/failures.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import type { Principal, ResolvedConnectionOptions } from '../connection/resolve-options.js';
import type { ConnectionState } from '../connection/state.js';
import { checkHealth, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import type { Target } from '../dial/target.js';
import { Tasks } from '../tasks/tasks.js';
import { setPeer } from '../telemetry/peer.js';
import { CallClock } from './call-clock.js';
import { Call, type SharedCallOptions } from './call.js';
import type { LongwireClient } from './contract.js';
import { CurrentConnection } from './current-connection.js';
import { CLIENT_EVENTS, eventOf, listsFor, listsHeard } from './events.js';
import { Idle } from './idle.js';
import type { ToolCatalog } from '../tools/catalog.js';
import { Listeners } from './listeners.js';
import { NextEvents, type OnceOptions } from './next-event.js';
import { callAsWanted, resultTasks, type ResultWithData } from './result-data.js';
import { createSdkClient, NEVER_MS } from './sdk-client.js';
import { SdkSide } from './sdk-side.js';
import { ToolCalls } from './tool-calls.js';
import { callTimeouts } from './options.js';
import { Operations } from './operations.js';
import { reportable } from './sdk-errors.js';
import { answerInput } from './answer-input.js';
import { createTaskHandle } from './task-handle.js';
import { createToolHandle, type ToolHandle } from './tool-handle.js';
import { LogTap, streamTool, type ToolStreamEvent, type ToolStreamOptions } from './tool-stream.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  TaskHandle,
} from './types.js';
import { UnderWay, type CloseOptions } from './under-way.js';

/** What a {@link ServerClient} is made with. */
export interface ServerClientSettings {
  target: Target;
  /** As the program gives them. */
  options: ClientOptions;
  /** The same, for its connections. */
  connectionOptions: ResolvedConnectionOptions;
  /** What is known of the server's tools. */
  catalog: ToolCatalog;
  /** Counts this client as well. */
  allTally?: Tally | undefined;
}

/** One server over one connection at a time, for the client itself or for one principal of it. */
export class ServerClient implements Omit<LongwireClient, 'as'> {
  readonly trusted: boolean;
  readonly timeouts: CallTimeouts;
  readonly trustHints: boolean;
  /** Passes the server's log messages on, to those who read the events of a call. */
  readonly logs: LogTap = new LogTap();
  /** What its calls share. */
  readonly shared: SharedCallOptions;
  readonly tally: Tally;
  /** What is under way, and may finish before it is closed. */
  readonly underWay: UnderWay = new UnderWay(() => this.name);
  readonly #sdkSide: SdkSide;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #principal: Principal | undefined;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #connection: CurrentConnection;
  readonly #operations: Operations;
  readonly #catalog: ToolCatalog;
  readonly #toolCalls: ToolCalls;
  readonly #tasks: Tasks;
  readonly #nextEvents = new NextEvents();
  /** Given what fails and belongs to no call. */
  readonly report = (error: unknown): void => {
    this.#listeners.emit('error', reportable(error));
  };

  constructor({ target, options, connectionOptions, catalog, allTally }: ServerClientSettings) {
    this.#target = target;
    this.#options = options;
    this.#principal = connectionOptions.principal;
    this.trusted = options.trusted === true;
    this.trustHints = connectionOptions.trustHints;
    setPeer(this, target, options.name);
    this.#listeners = new Listeners(CLIENT_EVENTS, this.report);
    // The session of a principal is closed when that is idle.
    const isShort = options.keepAlive === false && this.#principal === undefined;
    const idle = isShort ? new Idle(0, () => void this.#connection.close()) : undefined;
    this.timeouts = callTimeouts(options.timeouts);
    const { timeouts } = this;
    this.shared = {
      clock: new CallClock(),
      timeouts,
      onListenerError: this.report,
      idle,
      whenAway: options.whenAway,
      nameOf: () => this.name,
      onWaiting: (waiting) => this.#listeners.emit('waiting', waiting),
      onProgress: (tool, progress) => {
        if (this.#listeners.has('progress'))
          this.#listeners.emit('progress', { ...progress, tool });
      },
      followTask: (call, result, connection) => this.#tasks.followCall(call, result, connection),
      taskHandle: (taskId) => this.task(taskId),
    };
    this.tally = new Tally(connectionOptions.counts, allTally);
    this.#sdkSide = new SdkSide({
      create: () => this.#createSdk(),
      stepMs: connectionOptions.connectMs,
      onMessage: (message) => {
        this.logs.take(message);
        this.#tasks.hear(message);
      },
      onFailure: this.report,
    });
    this.#catalog = catalog;
    const throughSdk = <T>(send: (sdk: Client) => Promise<T>): Promise<T> =>
      this.#sdkSide.attached.then(() => send(this.sdk));
    this.#toolCalls = new ToolCalls({
      catalog,
      listBounds: connectionOptions.listBounds,
      throughSdk,
      report: this.report,
    });
    this.#tasks = new Tasks({
      answer: (input) => answerInput(throughSdk, input),
      report: this.report,
    });
    this.#connection = new CurrentConnection({
      target: this.#target,
      options: connectionOptions,
      catalog,
      sdkSide: this.#sdkSide,
      tally: this.tally,
      watchedLists: () => listsHeard((event) => this.#listeners.has(event)),
      onState: (state) => this.#listeners.emit('state', state),
      calls: () => this.underWay.tasks.filter((task) => task instanceof Call),
    });
    this.#operations = new Operations({
      connection: this.#connection,
      sdkSide: this.#sdkSide,
      tally: this.tally,
      shared: this.shared,
      underWay: this.underWay,
      report: this.report,
    });
  }

  get sdk(): Client {
    return this.#sdkSide.client;
  }

  get name(): string {
    return this.#options.name ?? this.server?.name ?? this.#target.name;
  }

  get state(): ConnectionState {
    return this.#connection.latest?.state ?? { name: 'idle' };
  }

  get server(): Implementation | undefined {
    return this.#connection.latest?.server?.serverInfo ?? this.sdk.getServerVersion();
  }

  get capabilities(): ServerCapabilities | undefined {
    return this.#connection.latest?.server?.capabilities ?? this.sdk.getServerCapabilities();
  }

  get protocolVersion(): string | undefined {
    return (
      this.#connection.latest?.server?.protocolVersion ?? this.sdk.getNegotiatedProtocolVersion()
    );
  }

  get instructions(): string | undefined {
    return this.#connection.latest?.server?.instructions ?? this.sdk.getInstructions();
  }

  get isClosing(): boolean {
    return this.underWay.isClosing;
  }

  stats(): ClientStats {
    return this.tally.read(this.#connection.latest?.droppedAnswers ?? 0);
  }

  health(options: HealthOptions = {}): Promise<Health> {
    return checkHealth(this.#connection.latest, this.tally, options);
  }

  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#operations.connect(options);
  }

  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const of = { method: 'tools/list', key: 'tools', field: 'name' };
    const tools = await this.#operations.list<Tool>(of, options);
    return this.#catalog.take(tools, this.sdk.getProtocolEra(), this.report);
  }

  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    const of = { method: 'resources/list', key: 'resources', field: 'uri' };
    return this.#operations.list(of, options);
  }

  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    const method = 'resources/templates/list';
    const of = { method, key: 'resourceTemplates', field: 'uriTemplate' };
    return this.#operations.list(of, options);
  }

  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    const of = { method: 'prompts/list', key: 'prompts', field: 'name' };
    return this.#operations.list(of, options);
  }

  callTool<Data>(
    name: string,
    args: object | undefined,
    options: CheckedCallOptions<Data>,
  ): Promise<ResultWithData<Data>>;
  callTool(name: string, args?: object, options?: CallToolOptions): Promise<CallToolResult>;
  callTool(
    name: string,
    args: object = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const { throwOnToolError = this.#options.throwOnToolError } = options;
    const wanted = throwOnToolError === true ? { ...options, throwOnToolError } : options;
    return callAsWanted(name, { options: wanted, timeouts: this.timeouts }, (rest) =>
      this.#callTool(name, args, rest),
    );
  }

  #callTool(name: string, args: object, options: CallToolOptions): Promise<CallToolResult> {
    const params = { name, arguments: args as Record<string, unknown> };
    // What is listed while the call runs applies to the next one.
    const isPromised = this.#catalog.promisesOutput(name);
    const run = async (connection: ReconnectingTransport, own: Call): Promise<CallToolResult> => {
      const result = await this.#toolCalls.call(connection, params, own);
      if (own.taskId !== undefined) resultTasks.set(result, own.taskId);
      if (!isPromised) return result;
      return this.#catalog.checkOutput(name, result, this.report);
    };
    return this.#operations.run(`the call of ${name}`, options, run, name);
  }

  stream<Data>(
    name: string,
    args: object | undefined,
    options: ToolStreamOptions & CheckedCallOptions<Data>,
  ): AsyncGenerator<ToolStreamEvent<ResultWithData<Data>>, void, undefined>;
  stream(
    name: string,
    args?: object,
    options?: ToolStreamOptions,
  ): AsyncGenerator<ToolStreamEvent, void, undefined>;
  stream(
    name: string,
    args: object = {},
    options: ToolStreamOptions = {},
  ): AsyncGenerator<ToolStreamEvent, void, undefined> {
    const call = (own: CallToolOptions): Promise<CallToolResult> => this.callTool(name, args, own);
    return streamTool({ call, logs: this.logs }, options);
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  task(taskId: string): TaskHandle {
    return createTaskHandle(taskId, {
      tasks: this.#tasks,
      operations: this.#operations,
      server: () => this.name,
      timeouts: this.timeouts,
      throwOnToolError: this.#options.throwOnToolError,
      report: this.report,
    });
  }

  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.#operations.throughSdk(`reading ${uri}`, { uri }, options, (params) =>
      this.sdk.readResource(params, { timeout: NEVER_MS }),
    );
  }

  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    const params = { name, arguments: args };
    return this.#operations.throughSdk(`getting the prompt ${name}`, params, options, (own) =>
      this.sdk.getPrompt(own, { timeout: NEVER_MS }),
    );
  }

  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#operations.throughSdk('completing an argument', params, options, (own) =>
      this.sdk.complete(own, { timeout: NEVER_MS }),
    );
  }

  subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const request = { method: 'resources/subscribe', params: { uri } };
    return this.#operations.ask(`subscribing to ${uri}`, request, options);
  }

  unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const request = { method: 'resources/unsubscribe', params: { uri } };
    return this.#operations.ask(`unsubscribing from ${uri}`, request, options);
  }

  setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    const request = { method: 'logging/setLevel', params: { level } };
    return this.#operations.ask('setting the log level', request, options);
  }

  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    this.#connection.latest?.watchLists(listsFor(event));
    return this.#listeners.add(event, listener);
  }

  once<Event extends keyof ClientEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<ClientEvents[Event]> {
    return this.#nextEvents.next(event, (listener) => this.on(event, listener), options);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.underWay.close(options, () => this.closeNow());
  }

  /** Closes, whatever is under way. */
  async closeNow(): Promise<void> {
    const leaving = this.#tasks.close();
    // Without them the connection closes at once: a call that comes now opens another.
    if (leaving !== undefined) await leaving;
    await this.#connection.close();
    this.#nextEvents.failAll(closedError('not-sent'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createSdk(): Client {
    const sdk = createSdkClient(this.#options, {
      hold: () => this.shared.clock.hold(),
      principal: this.#principal?.id,
    });
    sdk.onerror = this.report;
    sdk.fallbackNotificationHandler = async (notification) =>
      this.#notified(notification as ServerNotification);
    return sdk;
  }

  #notified(notification: ServerNotification): void {
    const event = eventOf(notification);
    if (event?.name === 'toolsChanged') this.#catalog.forgetOutputs();
    if (event !== undefined) this.#listeners.emit(event.name, event.payload);
    this.#listeners.emit('notification', notification);
  }
}
