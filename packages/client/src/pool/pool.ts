/// <reference lib="esnext.disposable" preserve="true" />
import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from '@modelcontextprotocol/client';
import { CallClock } from '../client/call-clock.js';
import { callObserver } from '../client/call.js';
import type { LongwireClient } from '../client/client.js';
import { Listeners } from '../client/listeners.js';
import { callTimeouts, checkOperationOptions } from '../client/options.js';
import { reportable } from '../client/sdk-errors.js';
import { ToolHandle } from '../client/tool-handle.js';
import type {
  CallTimeouts,
  CallToolOptions,
  ClientEvents,
  OperationOptions,
  ServerNotification,
  ServerSource,
} from '../client/types.js';
import { closedError } from '../connection/failures.js';
import type { ConnectionState } from '../connection/state.js';
import { healthByListing } from '../health/by-listing.js';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import { parseTarget, type TargetOption } from '../dial/target.js';
import { setPeer } from '../telemetry/peer.js';
import { PoolCall, statusOf, type PooledConnection } from './target.js';
import { Connections } from './connections.js';
import { poolHealth } from './health.js';
import { CallRunner } from './call-runner.js';
import { resolvePoolOptions, type ResolvedPoolOptions } from './options.js';
import { ToolChanges } from './tool-changes.js';
import type { PoolOptions, PoolStatus } from './types.js';

const TOOLS_CHANGED = 'notifications/tools/list_changed';

/**
 * Several connections to one server, or to several that are the same to the program, behind one
 * name. Nothing is dialled until the first call.
 */
export class LongwirePool implements ServerSource {
  /** How long a call may take whose options do not say, its time in the queue included. */
  readonly timeouts: CallTimeouts;
  readonly #options: ResolvedPoolOptions;
  readonly #connections: Connections;
  readonly #runner: CallRunner;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #toolChanges: ToolChanges;
  /** Counts calls as the program makes them, however many connections they try. */
  readonly #tally = new Tally(new TrafficCounts());
  /** The connections that are listened to, by event. */
  readonly #watched = {
    notification: new WeakSet<PooledConnection>(),
    toolsChanged: new WeakSet<PooledConnection>(),
  };
  #serverName: string | undefined;
  /** The state that was emitted last. */
  #emitted: ConnectionState['name'] = 'idle';
  #isClosed = false;

  /** Use {@link createPool}. */
  constructor(target: TargetOption | readonly TargetOption[], options: PoolOptions = {}) {
    const targets = Array.isArray(target) ? (target as TargetOption[]) : [target as TargetOption];
    if (targets.length === 0) throw new TypeError('a pool needs a target');
    this.#options = resolvePoolOptions(options);
    // Of several, the first stands for all.
    setPeer(this, parseTarget(targets[0] as TargetOption), options.name);
    const report = (error: unknown): void => this.#listeners.emit('error', reportable(error));
    this.#listeners = new Listeners(report);
    this.timeouts = callTimeouts(this.#options.client.timeouts);
    const { timeouts } = this;
    this.#connections = new Connections(targets, this.#options, {
      onOpened: (connection) => this.#opened(connection),
      onChange: () => this.#emitState(),
      onRoom: () => this.#runner.serve(),
    });
    this.#runner = new CallRunner({
      connections: this.#connections,
      maxQueued: this.#options.maxQueued,
      shared: { clock: new CallClock(), timeouts, onListenerError: report },
    });
    this.#toolChanges = new ToolChanges({
      list: () => (this.#isClosed ? Promise.reject(closedError('not-sent')) : this.#listTools({})),
      onChange: () => {
        if (this.#isClosed) return;
        this.#listeners.emit('toolsChanged', undefined);
        this.#listeners.emit('notification', { method: TOOLS_CHANGED });
      },
    });
  }

  /** The name given, else that of the server reached first, else the first target's host. */
  get name(): string {
    return this.#serverName ?? this.#connections.targets[0]?.name ?? 'pool';
  }

  /** Whether what the server says of its tools is believed, as the program says. */
  get trusted(): boolean {
    return this.#options.client.trusted === true;
  }

  /** Whether the hints of a server may lead to a second run. */
  get trustHints(): boolean {
    return this.#options.client.retry?.trustHints !== false;
  }

  /** The state of the best of its connections. */
  get state(): ConnectionState {
    return this.#isClosed ? { name: 'closed' } : this.#connections.state;
  }

  /** What it does now. */
  status(): PoolStatus {
    const now = performance.now();
    return {
      waiting: this.#runner.waiting,
      targets: this.#connections.targets.map((target) => statusOf(target, now)),
    };
  }

  /** What it has done so far over all its connections, in numbers: a picture of now. */
  stats(): ClientStats {
    return { ...this.#tally.read(0), ...this.#connections.stats };
  }

  /**
   * Asks on every free connection whether its server is there; if all are busy, on every connection.
   * Without a connection it makes one: a pool that has been idle has none. It is `degraded`, too, if
   * one of several connections is not healthy, or a target is ejected.
   *
   * @throws LongwireError `aborted`, and nothing else: what is wrong is the answer.
   */
  async health(options: HealthOptions = {}): Promise<Health> {
    checkHealthOptions(options);
    if (this.#isClosed) {
      return { status: 'down', reason: 'the pool was closed', latencyMs: undefined, uptimeMs: 0 };
    }
    const ready = this.#connections.all.filter(({ client }) => client.state.name === 'ready');
    if (ready.length === 0) {
      const list = (limits: OperationOptions): Promise<Tool[]> => this.#listTools(limits);
      return healthByListing({ ...options, list, uptimeMs: 0 });
    }
    const free = ready.filter(({ calls }) => calls.size === 0);
    const asked = free.length > 0 ? free : ready;
    const healths = await Promise.all(asked.map(({ client }) => client.health(options)));
    const ejected = this.status().targets.filter(({ ejectedMs }) => ejectedMs > 0);
    return poolHealth(
      healths,
      ejected.map(({ target }) => target),
    );
  }

  /** All tools, every page, as a server sent them. */
  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#listTools(options);
    this.#toolChanges.take(tools);
    return tools;
  }

  /** All resources, every page, as a server sent them. */
  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    return this.#run('resources/list', options, (client, own) => client.listResources(own));
  }

  /** All resource templates, every page, as a server sent them. */
  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#run('resources/templates/list', options, (client, own) =>
      client.listResourceTemplates(own),
    );
  }

  /** All prompts, every page, as a server sent them. */
  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    return this.#run('prompts/list', options, (client, own) => client.listPrompts(own));
  }

  /**
   * Calls a tool on the least busy connection; as `client.callTool`. While all are busy the call
   * waits, and the time that it waits is time of the call.
   *
   * @throws LongwireError with a code and a certainty; `queue-full` if too many wait already.
   */
  callTool(
    name: string,
    args: Record<string, unknown> = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    return this.#run(
      `the call of ${name}`,
      options,
      (client, own) => client.callTool(name, args, own),
      name,
    );
  }

  /** A handle on one tool. Asks nothing of a server. */
  tool(name: string): ToolHandle {
    return new ToolHandle(this, name);
  }

  /** Reads a resource. */
  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.#run(`reading ${uri}`, options, (client, own) => client.readResource(uri, own));
  }

  /** Gets a prompt, with its arguments filled in. */
  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    return this.#run(`getting the prompt ${name}`, options, (client, own) =>
      client.getPrompt(name, args, own),
    );
  }

  /** Asks for completions of an argument. */
  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#run('completing an argument', options, (client, own) =>
      client.complete(params, own),
    );
  }

  /**
   * Listens; the function returned stops listening.
   *
   * - `state` is the state of the best connection.
   * - `toolsChanged` comes once for all connections, if the list differs. While there is a listener,
   *   the tools are listed when a server says that they changed.
   * - Any other `notification` comes once from each connection on which it was sent.
   * - Without a connection nothing comes.
   */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    const stop = this.#listeners.add(event, listener);
    for (const connection of this.#connections.all) this.#watch(connection);
    return stop;
  }

  /**
   * Closes; calls under way or waiting fail with code `closed`. Fulfilled when nothing is left
   * open. The next call connects again.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#runner.close();
    const closed = this.#connections.close();
    this.#emitState();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listTools(options: OperationOptions): Promise<Tool[]> {
    return this.#run('tools/list', options, (client, own) => client.listTools(own));
  }

  /** Runs one operation, and counts it. */
  async #run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (client: LongwireClient, options: Options) => Promise<T>,
    tool?: string,
  ): Promise<T> {
    checkOperationOptions(options);
    this.#isClosed = false;
    const call = new PoolCall(what);
    this.#tally.begin(tool);
    try {
      const result = await this.#runner.run(call, { ...options, [callObserver]: call }, run);
      this.#tally.succeeded(tool, call.madeAt, result);
      return result;
    } catch (error) {
      this.#tally.failed(tool, error);
      throw error;
    }
  }

  #opened(connection: PooledConnection): void {
    const { client } = connection;
    client.on('error', (error) => this.#listeners.emit('error', error));
    client.on('state', (state) => {
      if (state.name === 'ready') this.#serverName ??= client.name;
      if (state.name === 'reconnecting' || state.name === 'resting') {
        this.#tally.failed(undefined, state.reason);
      }
    });
    this.#watch(connection);
  }

  /** Listens to a connection for what the program listens for; each event costs a server something. */
  #watch(connection: PooledConnection): void {
    const { notification, toolsChanged } = this.#watched;
    const wants = (event: 'notification' | 'toolsChanged'): boolean => this.#listeners.has(event);
    if (wants('notification') && !notification.has(connection)) {
      notification.add(connection);
      connection.client.on('notification', (message) => this.#notified(message));
    }
    if ((wants('notification') || wants('toolsChanged')) && !toolsChanged.has(connection)) {
      toolsChanged.add(connection);
      connection.client.on('toolsChanged', () => this.#toolChanges.hint());
    }
  }

  #notified(notification: ServerNotification): void {
    // Whether the tools changed is found out by listing them.
    if (notification.method !== TOOLS_CHANGED) this.#listeners.emit('notification', notification);
  }

  #emitState(): void {
    const { state } = this;
    if (state.name === this.#emitted) return;
    this.#emitted = state.name;
    this.#listeners.emit('state', state);
  }
}
