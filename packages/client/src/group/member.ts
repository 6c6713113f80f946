import type { TaskHandle } from '../client/types.js';
import { serverTask } from './server-task.js';
import type { CallToolResult, Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import { isClient, type LongwireClient } from '../client/contract.js';
import { Call } from '../client/call.js';
import { trustedHintsOf, type CallToolOptions, type ToolSource } from '../client/types.js';
import type { CloseOptions } from '../client/under-way.js';
import { closedError } from '../connection/failures.js';
import type { ConnectionState } from '../connection/state.js';
import { isToolError } from '../error-facts.js';
import { ConnectError } from '../errors.js';
import { forwardEvents } from './forward-events.js';
import { InFlightLimit } from './in-flight-limit.js';
import type { Health, HealthOptions } from '../health/health.js';
import { healthOf } from './health.js';
import { Listing } from './listing.js';
import { MemberBreaker } from './member-breaker.js';
import { disabledError, noConnectionError } from './member-errors.js';
import type { GroupMemberOptions } from './member-options.js';
import { ServerRecord } from './server-record.js';
import type { SelectedTool, ServerStatus } from './types.js';

/** While a connection is in one of these, its calls wait. */
const AWAY: ReadonlySet<ConnectionState['name']> = new Set(['reconnecting', 'resting']);

/** One server of a group: its client, its tools, and the calls that wait for it. */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #client: LongwireClient | undefined;
  readonly #inFlight: InFlightLimit;
  readonly breaker: MemberBreaker | undefined;
  readonly #record: ServerRecord;
  readonly #listing: Listing;
  readonly #stopListening: (() => void)[];
  #isDisabled: boolean;
  /** Its connection rests: it failed too often. */
  #isDown = false;
  /** The group's latest list is without its tools, or without their changes. */
  #isUnannounced = false;
  #isClosing = false;
  /** Counts its closings. */
  #epoch = 0;

  constructor(options: GroupMemberOptions) {
    const { source, maxInFlight, isDisabled, shared } = options;
    this.#options = options;
    this.#client = isClient(source) ? source : undefined;
    this.#inFlight = new InFlightLimit({ limit: maxInFlight, of: options.name, shared });
    const { breaker, emit, name: server } = options;
    this.breaker =
      breaker &&
      new MemberBreaker({
        options: breaker,
        nameOf: () => server,
        onChange: (status) => emit({ type: 'breaker', server, at: Date.now(), breaker: status }),
        onOpen: (errorOf) => this.#inFlight.failAll(errorOf),
      });
    this.#isDisabled = isDisabled;
    this.#record = new ServerRecord(this.#client?.state.name ?? 'ready');
    this.#listing = new Listing({
      source,
      select: (tools) => this.select(tools),
      onListed: () => this.#onListed(),
      onFailed: (error) => this.#onNotListed(error),
    });
    this.#stopListening = this.#listen(source, this.#client);
  }

  get name(): string {
    return this.#options.name;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  get source(): ToolSource {
    return this.#options.source;
  }

  get isLazy(): boolean {
    return this.#options.isLazy;
  }

  get isDisabled(): boolean {
    return this.#isDisabled;
  }

  /** Its latest list, whether or not it is there now. */
  get tools(): readonly SelectedTool[] {
    return this.#listing.tools;
  }

  /** Whether the group has its tools now. */
  get isOffered(): boolean {
    return !this.#isDisabled && !this.#isDown;
  }

  get status(): ServerStatus {
    const { name, target } = this.#options;
    return {
      name,
      target,
      ...this.#record.report(),
      disabled: this.#isDisabled,
      lazy: this.isLazy,
      tools: this.isOffered ? this.tools.length : 0,
      inFlight: this.#inFlight.inFlight,
      waiting: this.#inFlight.waiting,
      breaker: this.breaker?.status,
    };
  }

  /** The hints of a tool that are believed. */
  trustedHints({ listed, annotations }: SelectedTool): ToolAnnotations | undefined {
    const { isTrusted, source } = this.#options;
    const believed =
      isTrusted === undefined
        ? trustedHintsOf(source, listed)
        : isTrusted
          ? listed.annotations
          : undefined;
    return annotations === undefined ? believed : { ...believed, ...annotations };
  }

  /** What the group shows of a list of its tools. */
  select(tools: readonly Tool[]): SelectedTool[] {
    return this.#options.select(tools, (error) => this.report(error));
  }

  /** Whether a tool of this name may be its own. */
  mayHave(tool: string): boolean {
    const { name, prefix } = this.#options;
    return prefix === '' || tool.startsWith(`${prefix}__`) || tool.startsWith(`${name}__`);
  }

  /** Connects now, if there is something to connect; rejected with a LongwireError. */
  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isDisabled) return;
    try {
      await this.#client?.connect(options);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /**
   * Connects anew; rejected with a LongwireError. A connection that rests dials again, and its state is
   * restored; any other is closed first, with its calls.
   */
  async reconnect(options: { signal?: AbortSignal }): Promise<void> {
    if (this.#isDisabled) throw disabledError('reconnecting it', this.name);
    if (this.#client === undefined) throw noConnectionError(this.name);
    const epoch = this.#epoch;
    if (!this.#isDown) await this.#closeClient(this.#client);
    if (epoch !== this.#epoch) throw closedError('not-sent');
    await this.connect(options);
  }

  /** Asks nothing of it any more; fulfilled when what the group has opened is closed. */
  async disable(): Promise<void> {
    if (this.#isDisabled) return;
    const wasOffered = this.isOffered;
    this.#isDisabled = true;
    if (wasOffered) this.#announceRemoved();
    await this.close();
  }

  /** Uses it again. */
  enable(): void {
    this.#isDisabled = false;
    this.start();
  }

  /** It is part of the group from now on: its tools come once it is connected. */
  start(): void {
    if (this.#isDisabled) return;
    this.#isUnannounced = true;
    if (this.isLazy || this.#record.state === 'ready') this.#announceChanged();
    if (!this.isLazy) this.begin();
  }

  /** Connects in the background; an event says whether it succeeded. */
  begin(): void {
    this.connect().catch(() => {});
  }

  /** Removes it from the group. */
  async remove(): Promise<void> {
    const wasOffered = this.isOffered;
    this.#isDisabled = true;
    if (wasOffered) this.#announceRemoved();
    await this.close();
    for (const stop of this.#stopListening) stop();
  }

  /** Fails the calls that wait, and closes what the group has opened. The next use connects again. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#epoch += 1;
    this.#inFlight.failAll(() => closedError('not-sent'));
    if (!this.#options.isOwn || this.#client === undefined) return;
    await this.#closeClient(this.#client, options);
  }

  /**
   * Fetches its list; waits until the fetch has taken so many milliseconds at most. A server that is
   * down is dialled, but not waited for, nor is one that reconnects. Never rejects.
   */
  async freshen(ms: number, options: { signal?: AbortSignal }): Promise<void> {
    if (this.#isDisabled) return;
    const { state } = this.#record;
    const isReconnecting = state === 'reconnecting' || state === 'connecting';
    if (isReconnecting && !this.#isDown && this.#listing.isKnown) return;
    const { startedAt, done } = this.#listing.fetch();
    if (this.#isDown) return;
    const timeoutMs = Math.max(1, startedAt + ms - performance.now());
    const call = new Call('tools/list', { ...options, timeoutMs }, this.#options.shared);
    await call.during(done).catch(() => (this.#isUnannounced = true));
  }

  /** Fetches its list for one of its tools; rejected with a LongwireError. */
  async seek(tool: string, options: CallToolOptions): Promise<void> {
    if (this.#isDisabled) throw disabledError(`the call of ${tool}`, this.name);
    if (this.#failsAtOnce(options, this.source)) await this.source.listTools({ whenAway: 'fail' });
    const list = (): Promise<void> => this.#listing.fetched();
    await (this.breaker?.ask(`the call of ${tool}`, options, list) ?? list());
  }

  /**
   * Calls a tool, in order. `name` is the program's name for it; `source` is its own as a principal.
   *
   * @throws LongwireError
   */
  async call(
    { original, isIdempotent }: SelectedTool,
    { name, args, options }: { name: string; args: object; options: CallToolOptions },
    source: ToolSource = this.source,
  ): Promise<CallToolResult> {
    const what = `the call of ${name}`;
    if (this.#isDisabled) throw disabledError(what, this.name);
    this.breaker?.check(what);
    // It needs no turn for that. The breaker knows of the dials of the group's own connection.
    if (this.#failsAtOnce(options, source)) {
      const fail = (): Promise<CallToolResult> => source.callTool(original, args, options);
      const isOwn = source === this.source || this.breaker === undefined;
      return isOwn ? fail() : this.breaker.ask(what, options, fail);
    }
    const epoch = this.#epoch;
    const rest = this.#inFlight.tryEnter() ? options : await this.#inFlight.enter(what, options);
    const { onTask } = rest;
    const passed: CallToolOptions = {
      ...rest,
      ...(isIdempotent && rest.idempotent === undefined && { idempotent: true }),
      ...(onTask !== undefined && { onTask: (task: TaskHandle) => onTask(serverTask(task, this)) }),
    };
    try {
      // It was closed at the moment when the call could begin.
      if (epoch !== this.#epoch) throw closedError('not-sent');
      const make = (own: CallToolOptions): Promise<CallToolResult> =>
        source.callTool(original, args, own);
      const result = await (this.breaker === undefined
        ? make(passed)
        : this.breaker.run(what, { given: options, passed }, make));
      this.#record.succeeded();
      return result;
    } catch (error) {
      if (isToolError(error)) this.#record.succeeded();
      else this.#failed(error);
      throw error;
    } finally {
      this.#inFlight.leave();
    }
  }

  /** Whether a call is not to wait, and would have to: the server is away for its source. */
  #failsAtOnce({ whenAway = this.#options.whenAway }: CallToolOptions, of: ToolSource): boolean {
    if (whenAway !== 'fail') return false;
    // A principal has a connection of its own.
    if (of !== this.source) return isClient(of) && AWAY.has(of.state.name);
    return this.#isDown || this.#record.state === 'reconnecting';
  }

  /** Its health, by a small request. */
  health(options: HealthOptions): Promise<Health> {
    const { state, since: at } = this.#record.report();
    const since = state === 'ready' ? at : undefined;
    return healthOf(this.source, { ...options, since, isDisabled: this.#isDisabled });
  }

  #listen(source: ToolSource, client: LongwireClient | undefined): (() => void)[] {
    const { name: server, emit } = this.#options;
    const stops = [source.on('toolsChanged', () => this.#onToolsChanged())];
    if (client === undefined) return stops;
    return [
      ...stops,
      client.on('state', (state) => this.#onState(state)),
      ...forwardEvents(client, server, emit),
      client.on('error', (error) => this.report(error)),
    ];
  }

  #onState(state: ConnectionState): void {
    // A client that could not connect the first time closes its connection: it is still down.
    if (state.name === 'closed' && this.#isDown && !this.#isClosing) return;
    const at = Date.now();
    this.#record.entered(state, at);
    this.#options.emit({ type: 'state', server: this.name, at, state });
    if (state.name === 'reconnecting' || state.name === 'resting') this.breaker?.lost(state.reason);
    if (state.name === 'resting') this.#wentDown();
    if (state.name === 'ready') this.#reconnected();
  }

  /** A server that refuses the handshake closes its connection without a reason. */
  #failed(error: unknown): void {
    const reason = this.#record.failed(error);
    const isClosed = this.#client?.state.name === 'closed' && !this.#isClosing;
    if (!(reason instanceof ConnectError) || !isClosed || this.#isDown || this.#isDisabled) return;
    this.#onState({ name: 'resting', reason, known: false });
  }

  #wentDown(): void {
    const wasOffered = this.isOffered;
    this.#isDown = true;
    this.#isUnannounced = true;
    if (wasOffered) this.#announceRemoved();
  }

  #reconnected(): void {
    this.#isDown = false;
    if (this.#isUnannounced) this.#announceChanged();
  }

  #onToolsChanged(): void {
    this.#listing.outdate();
    if (this.isOffered) this.#announceChanged();
  }

  #onListed(): void {
    this.#record.succeeded();
    this.#options.onTools();
    if (this.#isUnannounced && this.isOffered) this.#announceChanged();
  }

  #onNotListed(error: unknown): void {
    this.#isUnannounced = true;
    this.#failed(error);
    // A dial that failed is reported as a state.
    if (!this.#isDown) this.report(error);
  }

  #announceRemoved(): void {
    if (this.tools.length > 0) this.#announceChanged();
    this.#isUnannounced = true;
  }

  #announceChanged(): void {
    if (this.isOffered) this.#isUnannounced = false;
    this.#options.emit({ type: 'tools-changed', server: this.name, at: Date.now() });
  }

  report(error: unknown): void {
    const failure = this.#record.failed(error);
    if (failure === undefined) return;
    this.#options.emit({ type: 'error', server: this.name, at: Date.now(), error: failure });
  }

  async #closeClient(client: LongwireClient, options: CloseOptions = {}): Promise<void> {
    this.#isClosing = true;
    // The next session may have other tools.
    this.#isUnannounced = true;
    this.#listing.outdate();
    // From now on it is closed for everybody.
    if (client.state.name !== 'idle') this.#record.entered({ name: 'closed' }, Date.now());
    try {
      await client.close(options);
      this.#isDown = false;
      this.#record.entered(client.state, Date.now());
    } finally {
      this.#isClosing = false;
    }
  }
}
