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
import { Connection } from '../connection/connection.js';
import { asConnectError, handshakeRefused } from '../connection/failures.js';
import { resolveConnectionOptions, type ResolvedConnectionOptions } from '../connection/options.js';
import type { ConnectionState } from '../connection/state.js';
import { parseTarget, type Target, type TargetOption } from '../target/target.js';
import { Attachment } from './attachment.js';
import { CallClock } from './call-clock.js';
import { Call, type CallSurroundings } from './call.js';
import { Idle } from './idle.js';
import { Learned } from './learned.js';
import { Listeners } from './listeners.js';
import { createSdkClient, NEVER_MS } from './sdk-client.js';
import { ToolCalls } from './tool-calls.js';
import { checkClientOptions, checkOperationOptions } from './options.js';
import { readPages } from './pages.js';
import { ignoreResult, toCallToolResult } from './results.js';
import { fromSdkError, longwireErrorIn, reportable } from './sdk-errors.js';
import { ToolHandle } from './tool-handle.js';
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
  #sdk: Client;
  /** The latest one's way to the connection. */
  #attached: Promise<unknown> = Promise.resolve();
  #attachment: Attachment | undefined;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #connectionOptions: ResolvedConnectionOptions;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #surroundings: CallSurroundings;
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  readonly #toolCalls: ToolCalls;

  /** Use {@link createClient} or {@link connect}. */
  constructor(target: TargetOption, options: ClientOptions = {}, learned?: Learned) {
    checkClientOptions(options);
    this.#target = parseTarget(target);
    this.#options = options;
    this.#connectionOptions = resolveConnectionOptions(options);
    const onListenerError = (error: unknown): void => this.#report(error);
    this.#listeners = new Listeners(onListenerError);
    const idle = options.keepAlive === false ? new Idle(0, () => void this.close()) : undefined;
    this.#surroundings = { clock: new CallClock(), onListenerError, idle };
    this.#toolCalls = new ToolCalls({
      learned: learned ?? new Learned(),
      throughSdk: (send) => this.#attached.then(() => send(this.#sdk)),
      report: onListenerError,
    });
    this.#sdk = this.#createSdk();
  }

  /**
   * The official SDK's client underneath, for all that is not here. Another one takes its place
   * when the server comes back in another era of the protocol.
   */
  get sdk(): Client {
    return this.#sdk;
  }

  /** The name given, else the server's own once it is known, else the target's host. */
  get name(): string {
    return this.#options.name ?? this.server?.name ?? this.#target.name;
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#connection?.state ?? { name: 'idle' };
  }

  /** Who the server says it is, once connected. */
  get server(): Implementation | undefined {
    return this.#connection?.server?.serverInfo ?? this.sdk.getServerVersion();
  }

  /** What the server says it can do, once connected. */
  get capabilities(): ServerCapabilities | undefined {
    return this.#connection?.server?.capabilities ?? this.sdk.getServerCapabilities();
  }

  /** The protocol version agreed on, once connected. */
  get protocolVersion(): string | undefined {
    return this.#connection?.server?.protocolVersion ?? this.sdk.getNegotiatedProtocolVersion();
  }

  /** What the server says about how to use it, once connected. */
  get instructions(): string | undefined {
    return this.#connection?.server?.instructions ?? this.sdk.getInstructions();
  }

  /** Answers of the server that belonged to no request of the present connection, and were dropped. */
  get droppedAnswers(): number {
    return this.#connection?.droppedAnswers ?? 0;
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
      await call.before(this.#ready().then((connection) => connection.open()));
    } finally {
      call.done();
    }
  }

  /** All tools, every page, as the server sent them. */
  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#list<Tool>('tools/list', 'tools', 'name', options);
    return this.#toolCalls.learn(tools, this.#sdk.getProtocolEra(), () =>
      this.#throughSdk('tools/list', {}, options, (marked) =>
        this.sdk.listTools(marked, { timeout: NEVER_MS, cacheMode: 'refresh' }),
      ),
    );
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
   * The structured content of a tool that was listed with an `outputSchema` is checked against it.
   *
   * @throws LongwireError with a code and a certainty.
   */
  callTool(
    name: string,
    args: Record<string, unknown> = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const params = { name, arguments: args };
    const what = `the call of ${name}`;
    const call = this.#during(what, options, async (connection, own) =>
      toCallToolResult(await this.#toolCalls.call(connection, params, own), what),
    );
    return this.#toolCalls.checked(name, call);
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
    if (event === 'notification' || event === 'toolsChanged') this.#connection?.wantLists();
    return this.#listeners.add(event, listener);
  }

  /**
   * Closes; calls in flight fail with code `closed`. Fulfilled when nothing is left open. The next
   * call connects again.
   */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connecting = undefined;
    await connection?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The connection, shaken hands; single flight. */
  #ready(): Promise<Connection> {
    this.#connecting ??= this.#open();
    return this.#connecting;
  }

  async #open(): Promise<Connection> {
    const { tools } = this.#toolCalls.learned;
    const connection = new Connection(this.#target, this.#connectionOptions, tools);
    connection.onstate = (state) => {
      // Closed from the SDK's side counts too: the next call connects again.
      if (state.name === 'closed' && this.#connection === connection) this.#connecting = undefined;
      this.#listeners.emit('state', state);
    };
    connection.onera = () => this.#attachAnew(connection);
    if (this.#listeners.has('notification') || this.#listeners.has('toolsChanged')) {
      connection.wantLists();
    }
    const previous = this.#connection;
    this.#connection = connection;
    try {
      await previous?.close();
      this.#attached = this.#attach(this.#sdk, connection);
      await this.#attached;
      return connection;
    } catch (error) {
      if (this.#connection === connection) this.#connecting = undefined;
      await connection.close();
      throw asConnectError(longwireErrorIn(error) ?? handshakeRefused(error));
    }
  }

  #createSdk(): Client {
    const sdk = createSdkClient(this.#options);
    sdk.onerror = (error) => this.#report(error);
    sdk.fallbackNotificationHandler = async (notification) =>
      this.#notified(notification as ServerNotification);
    return sdk;
  }

  #attach(sdk: Client, connection: Connection): Promise<void> {
    this.#attachment = new Attachment(connection);
    return sdk.connect(this.#attachment, { timeout: NEVER_MS });
  }

  /** The SDK's `Client` is of one era for good: the server's new one needs another. */
  #attachAnew(connection: Connection): void {
    const sdk = this.#createSdk();
    this.#sdk = sdk;
    this.#attachment?.detach();
    this.#attached = connection
      .reattach(() => this.#attach(sdk, connection))
      .catch((error: unknown) => {
        if (!connection.isClosing) this.#report(error);
      });
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
        await this.#attached;
        return await send({ ...params, [callMark]: call });
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
  ): Promise<T> {
    checkOperationOptions(options);
    const call = new Call(what, options, this.#surroundings);
    try {
      const connection = this.#readyConnection() ?? (await call.before(this.#ready()));
      call.sendOn(connection);
      return await run(connection, call);
    } finally {
      call.done();
    }
  }

  #readyConnection(): Connection | undefined {
    const connection = this.#connection;
    return connection?.state.name === 'ready' && !connection.isClosing ? connection : undefined;
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
