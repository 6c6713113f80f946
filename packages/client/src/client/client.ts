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
import type { ReconnectingTransport } from '../connection/transport.js';
import {
  principalConnectionOptions,
  resolveConnectionOptions,
  type Principal,
  type ResolvedConnectionOptions,
} from '../connection/resolve-options.js';
import type { ConnectionState } from '../connection/state.js';
import { checkHealth, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { parseTarget, type Target, type TargetOption } from '../dial/target.js';
import { checkObject } from '../options/checks.js';
import { SharedDispatchers } from '../http/dispatchers.js';
import { withDefaults } from '../options/option.js';
import {
  checkPrincipal,
  PRINCIPALS,
  type PrincipalCredentials,
  type PrincipalsOptions,
} from '../options/principal-options.js';
import { CallClock } from './call-clock.js';
import { Call, type SharedCallOptions } from './call.js';
import type { LongwireClient } from './contract.js';
import { CurrentConnection } from './current-connection.js';
import { Idle } from './idle.js';
import { ToolCatalog } from '../tools/catalog.js';
import { Listeners } from './listeners.js';
import { createSdkClient, NEVER_MS } from './sdk-client.js';
import { SdkSide } from './sdk-side.js';
import { ToolCalls } from './tool-calls.js';
import { callTimeouts, checkClientOptions } from './options.js';
import { Operations } from './operations.js';
import { PrincipalClient, type SessionClient } from './principal-client.js';
import { Principals } from './principals.js';
import { reportable } from './sdk-errors.js';
import { createToolHandle, type ToolHandle } from './tool-handle.js';
import { LogTap, streamTool, type ToolStreamEvent, type ToolStreamOptions } from './tool-stream.js';
import type {
  CallTimeouts,
  CallToolOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
} from './types.js';

/** What a client is made with, beside what the program gives. */
export interface ServerClientSettings {
  /** What is known of the server's tools. Default: nothing yet. */
  catalog?: ToolCatalog;
  /** It is the client of a principal's session. */
  session?: {
    principal: Principal;
    /** Those of the client whose principal it is. */
    options: ResolvedConnectionOptions;
    /** Counts all principals of that client, and it itself. */
    tally: Tally;
  };
}

/** The client of one server: see {@link LongwireClient}. */
export class ServerClient implements LongwireClient {
  readonly trusted: boolean;
  readonly timeouts: CallTimeouts;
  readonly trustHints: boolean;
  readonly #sdkSide: SdkSide;
  readonly #targetOption: TargetOption;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #shared: SharedCallOptions;
  readonly #connection: CurrentConnection;
  readonly #operations: Operations;
  readonly #catalog: ToolCatalog;
  readonly #toolCalls: ToolCalls;
  readonly #tally: Tally;
  /** Passes the server's log messages on, to those who read the events of a call. */
  readonly logs: LogTap = new LogTap();
  readonly #connectionOptions: ResolvedConnectionOptions;
  readonly #principal: string | undefined;
  #principals: Principals<SessionClient> | undefined;
  #sharedDispatchers: SharedDispatchers | undefined;
  readonly #report = (error: unknown): void => {
    this.#listeners.emit('error', reportable(error));
  };

  /** Use {@link createClient} or {@link connect}. */
  constructor(
    target: TargetOption,
    options: ClientOptions = {},
    { catalog = new ToolCatalog(), session }: ServerClientSettings = {},
  ) {
    if (session === undefined) checkClientOptions(options);
    this.#targetOption = target;
    this.#target = parseTarget(target);
    this.#options = options;
    this.#principal = session?.principal.id;
    this.trusted = options.trusted === true;
    const connectionOptions =
      session === undefined
        ? resolveConnectionOptions(options, this.#target.kind, catalog.client)
        : principalConnectionOptions(session.options, session.principal, catalog.client);
    this.#connectionOptions = connectionOptions;
    this.trustHints = connectionOptions.trustHints;
    connectionOptions.keepsScopes ||= options.handlers !== undefined;
    this.#listeners = new Listeners(this.#report);
    const isShort = options.keepAlive === false && session === undefined;
    const idle = isShort ? new Idle(0, () => void this.#connection.close()) : undefined;
    this.timeouts = callTimeouts(options.timeouts);
    const { timeouts } = this;
    this.#shared = { clock: new CallClock(), timeouts, onListenerError: this.#report, idle };
    this.#tally = new Tally(connectionOptions.counts, session?.tally);
    this.#sdkSide = new SdkSide({
      create: () => this.#createSdk(),
      stepMs: connectionOptions.connectMs,
      onMessage: (message) => this.logs.take(message),
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
    this.#operations = new Operations({
      connection: this.#connection,
      sdkSide: this.#sdkSide,
      tally: this.#tally,
      shared: this.#shared,
      report: this.#report,
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

  stats(): ClientStats {
    const dropped = this.#connection.latest?.droppedAnswers ?? 0;
    return this.#tally.read(dropped + (this.#principals?.droppedAnswers ?? 0));
  }

  health(options: HealthOptions = {}): Promise<Health> {
    return checkHealth(this.#connection.latest, this.#tally, options);
  }

  as(principal: string, credentials?: PrincipalCredentials): LongwireClient {
    checkPrincipal(principal, credentials, { hasHeaders: this.#target.kind === 'url' });
    this.#principals ??= new Principals<SessionClient>({
      options: this.#principalsOptions,
      create: (own) => this.createSession(own),
      shared: this.#shared,
    });
    return new PrincipalClient(this, this.#principals, this.#principals.of(principal, credentials));
  }

  /**
   * Makes the client of a principal's session, over connections of its own. It shares with this one what
   * the program gave, and sockets with all others.
   */
  createSession(principal: Principal, catalog: ToolCatalog = new ToolCatalog()): ServerClient {
    this.#sharedDispatchers ??= new SharedDispatchers(this.#principalsOptions.maxSessions);
    const options = { ...this.#connectionOptions, sharedDispatchers: this.#sharedDispatchers };
    const session = { principal, options, tally: this.#tally };
    // It is made for a call, and does not belong to it.
    const client = options.scope.runInAsyncScope(
      () => new ServerClient(this.#targetOption, this.#options, { session, catalog }),
    );
    client.on('error', (error) => this.#listeners.emit('error', error));
    return client;
  }

  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    // `timeouts.connectMs` limits it.
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    const call = new Call('connecting', limits, this.#shared);
    await call.during(this.#connection.open().then((connection) => connection.open()));
  }

  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.listTools(options);
    const of = { method: 'tools/list', key: 'tools', field: 'name' };
    const tools = await this.#operations.list<Tool>(of, options);
    return this.#catalog.take(tools, this.sdk.getProtocolEra(), this.#report);
  }

  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.listResources(options);
    const of = { method: 'resources/list', key: 'resources', field: 'uri' };
    return this.#operations.list(of, options);
  }

  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.listResourceTemplates(options);
    const method = 'resources/templates/list';
    const of = { method, key: 'resourceTemplates', field: 'uriTemplate' };
    return this.#operations.list(of, options);
  }

  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.listPrompts(options);
    const of = { method: 'prompts/list', key: 'prompts', field: 'name' };
    return this.#operations.list(of, options);
  }

  callTool(
    name: string,
    args: object = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.callTool(name, args, options);
    const params = { name, arguments: args as Record<string, unknown> };
    // What is listed while the call runs applies to the next one.
    const isPromised = this.#catalog.promisesOutput(name);
    const run = async (connection: ReconnectingTransport, own: Call): Promise<CallToolResult> => {
      const result = await this.#toolCalls.call(connection, params, own);
      if (!isPromised) return result;
      return this.#catalog.checkOutput(name, result, this.#report);
    };
    return this.#operations.run(`the call of ${name}`, options, run, name);
  }

  stream(
    tool: string,
    args: object = {},
    options: ToolStreamOptions = {},
  ): AsyncGenerator<ToolStreamEvent, void, undefined> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.stream(tool, args, options);
    const call = (own: CallToolOptions): Promise<CallToolResult> => this.callTool(tool, args, own);
    return streamTool({ call, logs: this.logs }, options);
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.readResource(uri, options);
    return this.#operations.throughSdk(`reading ${uri}`, { uri }, options, (params) =>
      this.sdk.readResource(params, { timeout: NEVER_MS }),
    );
  }

  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.getPrompt(name, args, options);
    const params = { name, arguments: args };
    return this.#operations.throughSdk(`getting the prompt ${name}`, params, options, (own) =>
      this.sdk.getPrompt(own, { timeout: NEVER_MS }),
    );
  }

  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.complete(params, options);
    return this.#operations.throughSdk('completing an argument', params, options, (own) =>
      this.sdk.complete(own, { timeout: NEVER_MS }),
    );
  }

  subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.subscribeResource(uri, options);
    const request = { method: 'resources/subscribe', params: { uri } };
    return this.#operations.ask(`subscribing to ${uri}`, request, options);
  }

  unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.unsubscribeResource(uri, options);
    const request = { method: 'resources/unsubscribe', params: { uri } };
    return this.#operations.ask(`unsubscribing from ${uri}`, request, options);
  }

  setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    const other = this.#asSaid(options);
    if (other !== undefined) return other.setLogLevel(level, options);
    const request = { method: 'logging/setLevel', params: { level } };
    return this.#operations.ask('setting the log level', request, options);
  }

  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    if (event === 'notification' || event === 'toolsChanged') this.#connection.latest?.watchLists();
    return this.#listeners.add(event, listener);
  }

  async close(): Promise<void> {
    await Promise.all([this.#connection.close(), this.#principals?.closeAll()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The client as the principal that the options of an operation name, if they do. */
  #asSaid({ principal }: OperationOptions): LongwireClient | undefined {
    if (principal === undefined) return undefined;
    checkObject('principal', principal);
    const { id, ...credentials } = principal;
    return this.as(id, credentials);
  }

  get #principalsOptions(): Required<PrincipalsOptions> {
    const { keepAlive, principals } = this.#options;
    return withDefaults(PRINCIPALS, { ...(keepAlive === false && { idleMs: 0 }), ...principals });
  }

  #createSdk(): Client {
    const sdk = createSdkClient(this.#options, {
      hold: () => this.#shared.clock.hold(),
      principal: this.#principal,
    });
    sdk.onerror = this.#report;
    sdk.fallbackNotificationHandler = async (notification) =>
      this.#notified(notification as ServerNotification);
    return sdk;
  }

  #notified(notification: ServerNotification): void {
    if (notification.method === 'notifications/tools/list_changed') {
      this.#catalog.forgetOutputs();
      this.#listeners.emit('toolsChanged', undefined);
    }
    this.#listeners.emit('notification', notification);
  }
}
