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
import { callObserver, type SharedCallOptions } from '../client/call.js';
import { CLIENT_EVENTS } from '../client/events.js';
import { Listeners } from '../client/listeners.js';
import { NextEvents, type OnceOptions } from '../client/next-event.js';
import { callTimeouts, checkOperationOptions } from '../client/options.js';
import { reportable } from '../client/sdk-errors.js';
import { passOnTask } from '../client/task-handle.js';
import { callAsWanted, type ResultWithData } from '../client/result-data.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  OperationOptions,
  ServerNotification,
  TaskHandle,
} from '../client/types.js';
import { UnderWay, type CloseOptions } from '../client/under-way.js';
import { closedError } from '../connection/failures.js';
import type { LongwireError } from '../errors.js';
import type { ConnectionState } from '../connection/state.js';
import type { Principal } from '../connection/resolve-options.js';
import type { BreakerGate } from '../health/breaker-gate.js';
import { healthByListing } from '../health/by-listing.js';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import {
  PoolCall,
  statusOf,
  type KnownTarget,
  type PooledClient,
  type PooledConnection,
} from './target.js';
import { Connections } from './connections.js';
import { poolHealth } from './health.js';
import { CallRunner } from './call-runner.js';
import type { ResolvedPoolOptions } from './options.js';
import { ToolChanges } from './tool-changes.js';
import type { LongwirePool } from './contract.js';
import type { PoolEvents, PoolStatus } from './types.js';

const TOOLS_CHANGED = 'notifications/tools/list_changed';

/** The events of its connections that are events of the pool as they are. */
const PASSED_ON = [
  'log',
  'resourceUpdated',
  'resourcesChanged',
  'promptsChanged',
  'progress',
] as const satisfies (keyof ClientEvents)[];

/** What a {@link PoolSession} is made with. */
export interface PoolSessionSettings {
  targets: readonly KnownTarget[];
  options: ResolvedPoolOptions;
  /** What its calls pass; `undefined` without a circuit breaker. */
  gate: BreakerGate | undefined;
  /** For whom its connections are; `undefined` for the pool itself. */
  principal?: Principal;
  /** Counts its calls as well. */
  allTally?: Tally;
}

/** The connections of a pool, for the pool itself or for one principal of it. */
export class PoolSession implements Omit<LongwirePool, 'as' | 'tool' | typeof Symbol.asyncDispose> {
  readonly timeouts: CallTimeouts;
  readonly #options: ResolvedPoolOptions;
  readonly #connections: Connections;
  readonly #runner: CallRunner;
  readonly #listeners: Listeners<PoolEvents>;
  readonly #gate: BreakerGate | undefined;
  readonly #toolChanges: ToolChanges;
  /** Counts calls as the program makes them, however many connections they try. */
  readonly tally: Tally;
  /** What is under way, and may finish before it is closed. */
  readonly underWay: UnderWay = new UnderWay(() => this.name);
  /** What its calls share. */
  readonly shared: SharedCallOptions;
  readonly #principal: Principal | undefined;
  /** The events for which a connection is listened to. */
  readonly #watched = new WeakMap<PooledConnection, Set<keyof ClientEvents>>();
  readonly #nextEvents = new NextEvents();
  #serverName: string | undefined;
  /** The state that was emitted last. */
  #emitted: ConnectionState['name'] = 'idle';
  #isClosed = false;

  constructor({ targets, options, gate, principal, allTally }: PoolSessionSettings) {
    this.#options = options;
    this.#gate = gate;
    this.#principal = principal;
    this.tally = new Tally(new TrafficCounts(), allTally);
    const report = (error: unknown): void => this.#listeners.emit('error', reportable(error));
    this.#listeners = new Listeners({ ...CLIENT_EVENTS, breaker: true }, report);
    this.timeouts = callTimeouts(options.client.timeouts);
    const { timeouts } = this;
    this.shared = { clock: new CallClock(), timeouts, onListenerError: report };
    this.#connections = new Connections(targets, {
      options,
      principal,
      onOpened: (connection) => this.#opened(connection),
      onChange: () => this.#emitState(),
      onRoom: () => this.#runner.serve(),
    });
    this.#runner = new CallRunner({
      connections: this.#connections,
      maxQueued: options.maxQueued,
      nameOf: () => this.name,
      whenAway: options.client.whenAway ?? 'wait',
      shared: this.shared,
    });
    this.#toolChanges = new ToolChanges({
      list: () => (this.isClosing ? Promise.reject(closedError('not-sent')) : this.#listTools({})),
      onChange: () => {
        if (this.#isClosed) return;
        this.#listeners.emit('toolsChanged', undefined);
        this.#listeners.emit('notification', { method: TOOLS_CHANGED });
      },
    });
  }

  get name(): string {
    return this.#serverName ?? this.#connections.targets[0]?.known.name ?? 'pool';
  }

  get trusted(): boolean {
    return this.#options.client.trusted === true;
  }

  get trustHints(): boolean {
    return this.#options.client.retry?.trustHints !== false;
  }

  get state(): ConnectionState {
    return this.#isClosed ? { name: 'closed' } : this.#connections.state;
  }

  status(): PoolStatus {
    const now = performance.now();
    return {
      waiting: this.#runner.waiting,
      targets: this.#connections.targets.map((target) => statusOf(target, now)),
      breaker: this.#gate?.status,
    };
  }

  stats(): ClientStats {
    return { ...this.tally.read(0), ...this.#connections.stats };
  }

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

  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#listTools(options);
    this.#toolChanges.take(tools);
    return tools;
  }

  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    return this.#run('resources/list', options, (client, own) => client.listResources(own));
  }

  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#run('resources/templates/list', options, (client, own) =>
      client.listResourceTemplates(own),
    );
  }

  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    return this.#run('prompts/list', options, (client, own) => client.listPrompts(own));
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
    const call = (client: PooledClient, own: CallToolOptions): Promise<CallToolResult> =>
      client.callTool(name, args, own);
    return callAsWanted(name, { options, timeouts: this.timeouts }, (rest) =>
      this.#run(`the call of ${name}`, rest, call, name),
    );
  }

  task(taskId: string): TaskHandle {
    return passOnTask({
      taskId,
      server: () => this.name,
      within: (what, options, run) =>
        this.#run(what, options, (client, own) => run(client.task(taskId), own)),
    });
  }

  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.#run(`reading ${uri}`, options, (client, own) => client.readResource(uri, own));
  }

  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    return this.#run(`getting the prompt ${name}`, options, (client, own) =>
      client.getPrompt(name, args, own),
    );
  }

  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#run('completing an argument', options, (client, own) =>
      client.complete(params, own),
    );
  }

  on<Event extends keyof PoolEvents>(
    event: Event,
    listener: (payload: PoolEvents[Event]) => void,
  ): () => void {
    const stop = this.#listeners.add(event, listener);
    for (const connection of this.#connections.all) this.#watch(connection);
    return stop;
  }

  once<Event extends keyof PoolEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<PoolEvents[Event]> {
    return this.#nextEvents.next(event, (listener) => this.on(event, listener), options);
  }

  get isClosing(): boolean {
    return this.underWay.isClosing;
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.underWay.close(options, () => this.closeNow());
  }

  /** Closes, whatever is under way. */
  async closeNow(): Promise<void> {
    this.#isClosed = true;
    this.#runner.close();
    const closed = this.#connections.close();
    this.#emitState();
    await closed;
    this.#nextEvents.failAll(closedError('not-sent'));
  }

  /** Tells listeners of something that happened outside of its connections. */
  emit<Event extends keyof PoolEvents>(event: Event, payload: PoolEvents[Event]): void {
    this.#listeners.emit(event, payload);
  }

  /** Fails all calls that certainly have not run. */
  refuse(errorOf: (what: string) => LongwireError): void {
    this.#runner.refuse(errorOf);
  }

  #listTools(options: OperationOptions): Promise<Tool[]> {
    return this.#run('tools/list', options, (client, own) => client.listTools(own));
  }

  /** Runs one operation, and counts it. */
  async #run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (client: PooledClient, options: Options) => Promise<T>,
    tool?: string,
  ): Promise<T> {
    checkOperationOptions(options);
    if (options.principal !== undefined) {
      throw new TypeError(
        'principal: a pool serves one user; use createClient(...).as(principal), which shares sockets',
      );
    }
    const call = new PoolCall(what);
    this.underWay.check(what);
    this.underWay.enter(call);
    this.#isClosed = false;
    this.tally.begin(tool);
    try {
      const gate = this.#gate;
      const make = (): Promise<T> =>
        this.#runner.run(call, { ...options, [callObserver]: call }, run);
      const result = await (gate === undefined ? make() : gate.run(what, options, make));
      this.tally.succeeded(tool, call.madeAt, result);
      this.underWay.leave(call);
      return result;
    } catch (error) {
      this.tally.failed(tool, error, options);
      throw this.underWay.failed(call, error);
    }
  }

  #opened(connection: PooledConnection): void {
    const { client } = connection;
    client.on('error', (error) => this.#listeners.emit('error', error));
    client.on('waiting', (waiting) => this.#listeners.emit('waiting', waiting));
    client.on('state', (state) => {
      if (state.name === 'ready') this.#serverName ??= client.name;
      if (state.name === 'reconnecting' || state.name === 'resting') {
        this.tally.failed(undefined, state.reason);
        // One of them stands for all: a server that restarts loses all of them at once.
        const isFirst = this.#principal === undefined && this.#connections.all[0] === connection;
        if (isFirst) this.#gate?.lost(state.reason);
      }
    });
    this.#watch(connection);
  }

  /** Listens to a connection for what the program listens for; each event costs a server something. */
  #watch(connection: PooledConnection): void {
    const { client } = connection;
    const watch = <Event extends keyof ClientEvents>(
      event: Event,
      listener: (payload: ClientEvents[Event]) => void,
      isWanted = this.#listeners.has(event),
    ): void => {
      const watched = this.#watched.get(connection) ?? new Set();
      if (!isWanted || watched.has(event)) return;
      this.#watched.set(connection, watched.add(event));
      client.on(event, listener);
    };
    watch('notification', (message) => this.#notified(message));
    // Whether the tools changed is found out by listing them.
    const wantsTools = this.#listeners.has('notification') || this.#listeners.has('toolsChanged');
    watch('toolsChanged', () => this.#toolChanges.hint(), wantsTools);
    for (const event of PASSED_ON) {
      watch(event, (payload) => this.#listeners.emit(event, payload));
    }
  }

  #notified(notification: ServerNotification): void {
    if (notification.method !== TOOLS_CHANGED) this.#listeners.emit('notification', notification);
  }

  #emitState(): void {
    const { state } = this;
    if (state.name === this.#emitted) return;
    this.#emitted = state.name;
    this.#listeners.emit('state', state);
  }
}
