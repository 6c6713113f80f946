import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/client';
import { LongwireClient } from '../client/client.js';
import { Call, type CallSurroundings } from '../client/call.js';
import { trustedHintsOf, type CallToolOptions, type ToolSource } from '../client/types.js';
import { closedError } from '../connection/failures.js';
import type { ConnectionState } from '../connection/state.js';
import { ConnectError, LongwireError } from '../errors.js';
import { Gate } from './gate.js';
import type { Health, HealthOptions } from '../health/health.js';
import { healthOf } from './health.js';
import { Listing } from './listing.js';
import { ServerRecord } from './server-record.js';
import type { ToolSelector } from './tool-selection.js';
import type { GroupEvent, SelectedTool, ServerStatus } from './types.js';

/** What a member is made of. */
export interface MemberOptions {
  name: string;
  /** What its tools' names begin with, if anything. */
  prefix: string;
  /** Where it is, as it may be shown. */
  target: string;
  source: ToolSource;
  /** The group has made the source, and closes it. */
  isOwn: boolean;
  /** Its hints are believed; `undefined`: if the source says so. */
  isTrusted: boolean | undefined;
  isDisabled: boolean;
  isLazy: boolean;
  maxInFlight: number;
  select: ToolSelector;
  surroundings: CallSurroundings;
  tell: (event: GroupEvent) => void;
  /** Told that `tools` is another list now. */
  onTools: () => void;
}

/** One server of a group: its client, what is known of it, and the calls that wait for it. */
export class Member {
  readonly #options: MemberOptions;
  readonly #client: LongwireClient | undefined;
  readonly #gate: Gate;
  readonly #record: ServerRecord;
  readonly #listing: Listing;
  readonly #stopListening: (() => void)[];
  #isDisabled: boolean;
  /** Its connection has given up, and has not come back since. */
  #isDown = false;
  /** The group lists without its tools, or without what became of them. */
  #isOwed = false;
  #isHangingUp = false;
  /** Counts what ends whatever was begun before. */
  #epoch = 0;

  constructor(options: MemberOptions) {
    const { source, select, maxInFlight, isDisabled, surroundings } = options;
    this.#options = options;
    this.#client = source instanceof LongwireClient ? source : undefined;
    this.#gate = new Gate({ limit: maxInFlight, of: options.name, surroundings });
    this.#isDisabled = isDisabled;
    this.#record = new ServerRecord(this.#client?.state.name ?? 'ready');
    this.#listing = new Listing({
      source,
      select: (tools) => select(tools, (error) => this.#report(error)),
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

  /** What it listed last, whether or not it is there now. */
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
      tools: this.isOffered ? this.tools.length : 0,
      inFlight: this.#gate.inside,
      waiting: this.#gate.waiting,
    };
  }

  /** What of a tool's hints is believed. */
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

  /** Whether a tool of this name may be one of its. */
  mayHave(tool: string): boolean {
    const { name, prefix } = this.#options;
    return prefix === '' || tool.startsWith(`${prefix}__`) || tool.startsWith(`${name}__`);
  }

  /**
   * Connects now, if there is something to connect.
   *
   * @throws LongwireError
   */
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
   * Connects anew. A connection that has given up dials again, and what stood on it is restored;
   * any other is closed first, with the calls that are on it.
   *
   * @throws LongwireError
   */
  async reconnect(options: { signal?: AbortSignal }): Promise<void> {
    if (this.#isDisabled) throw this.#disabledError('reconnecting it');
    if (this.#client === undefined) {
      throw new LongwireError(`${this.name} has no connection of its own to be made anew`, {
        code: 'config',
        certainty: 'not-sent',
      });
    }
    const epoch = this.#epoch;
    if (!this.#isDown) await this.#hangUp(this.#client);
    if (epoch !== this.#epoch) throw closedError('not-sent');
    await this.connect(options);
  }

  /** Asks nothing of it any more; fulfilled when what the group has opened is closed. */
  async disable(): Promise<void> {
    if (this.#isDisabled) return;
    const wasOffered = this.isOffered;
    this.#isDisabled = true;
    if (wasOffered) this.#tellGone();
    await this.close();
  }

  /** Makes it what it was before it was disabled, or new in the group. */
  enable(): void {
    this.#isDisabled = false;
    this.enter();
  }

  /** It is in the group from now on: its tools come when it does. */
  enter(): void {
    if (this.#isDisabled) return;
    this.#isOwed = true;
    if (this.isLazy || this.#record.state === 'ready') this.#tellChanged();
    if (!this.isLazy) this.begin();
  }

  /** Connects in the background; what comes of it is an event. */
  begin(): void {
    this.connect().catch(() => {});
  }

  /** It is in the group no more. */
  async leave(): Promise<void> {
    const wasOffered = this.isOffered;
    this.#isDisabled = true;
    if (wasOffered) this.#tellGone();
    await this.close();
    for (const stop of this.#stopListening) stop();
  }

  /** Ends what waits, and closes what the group has opened. The next use connects again. */
  async close(): Promise<void> {
    this.#epoch += 1;
    this.#gate.refuseAll(closedError('not-sent'));
    if (this.#options.isOwn && this.#client !== undefined) await this.#hangUp(this.#client);
  }

  /**
   * Fetches its list, for as long as that has taken so many milliseconds at most. A server that is
   * down is dialled, and one that is about to come back is not waited for. Never rejects.
   */
  async freshen(ms: number, options: { signal?: AbortSignal }): Promise<void> {
    if (this.#isDisabled) return;
    const { state } = this.#record;
    const isComing = state === 'reconnecting' || state === 'connecting';
    if (isComing && !this.#isDown && this.#listing.isKnown) return;
    const { startedAt, done } = this.#listing.fetch();
    if (this.#isDown) return;
    const timeoutMs = Math.max(1, startedAt + ms - performance.now());
    const call = new Call('tools/list', { ...options, timeoutMs }, this.#options.surroundings);
    await call.before(done).catch(() => (this.#isOwed = true));
    call.done();
  }

  /**
   * Fetches its list for one of its tools.
   *
   * @throws LongwireError
   */
  async seek(tool: string): Promise<void> {
    if (this.#isDisabled) throw this.#disabledError(`the call of ${tool}`);
    const failure = await this.#listing.fetch().done;
    if (failure !== undefined) throw failure;
  }

  /**
   * Calls a tool, in its turn. It is known to the program by `name`.
   *
   * @throws LongwireError
   */
  async call(
    { original, isIdempotent }: SelectedTool,
    {
      name,
      args,
      options,
    }: { name: string; args: Record<string, unknown>; options: CallToolOptions },
  ): Promise<CallToolResult> {
    const what = `the call of ${name}`;
    if (this.#isDisabled) throw this.#disabledError(what);
    const epoch = this.#epoch;
    const rest = this.#gate.tryEnter() ? options : await this.#gate.enter(what, options);
    const passed =
      isIdempotent && rest.idempotent === undefined ? { ...rest, idempotent: true } : rest;
    try {
      // It was closed in the moment in which the turn came.
      if (epoch !== this.#epoch) throw closedError('not-sent');
      const result = await this.source.callTool(original, args, passed);
      this.#record.succeeded();
      return result;
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      this.#gate.leave();
    }
  }

  /** How it is, by a light request. */
  async health(options: HealthOptions): Promise<Health> {
    if (this.#isDisabled) {
      return { status: 'down', reason: 'it is disabled', latencyMs: undefined, uptimeMs: 0 };
    }
    const { state, since } = this.#record.report();
    return healthOf(this.source, { ...options, since: state === 'ready' ? since : undefined });
  }

  #listen(source: ToolSource, client: LongwireClient | undefined): (() => void)[] {
    const { name: server, tell } = this.#options;
    const stops = [source.on('toolsChanged', () => this.#onToolsChanged())];
    if (client === undefined) return stops;
    return [
      ...stops,
      client.on('state', (state) => this.#onState(state)),
      client.on('notification', ({ method, params }) =>
        tell({
          kind: 'notification',
          server,
          at: Date.now(),
          method,
          ...(params !== undefined && { params }),
        }),
      ),
      client.on('error', (error) => this.#report(error)),
    ];
  }

  #onState(state: ConnectionState): void {
    // A client that could not connect the first time closes what it had made: it is down still.
    if (state.name === 'closed' && this.#isDown && !this.#isHangingUp) return;
    const at = Date.now();
    this.#record.entered(state, at);
    this.#options.tell({ kind: 'state', server: this.name, at, state });
    if (state.name === 'resting') this.#goDown();
    if (state.name === 'ready') this.#comeBack();
  }

  /** A server that refuses the handshake has closed its connection without a word of why. */
  #failed(error: unknown): void {
    const reason = this.#record.failed(error);
    const isClosed = this.#client?.state.name === 'closed' && !this.#isHangingUp;
    if (!(reason instanceof ConnectError) || !isClosed || this.#isDown || this.#isDisabled) return;
    this.#onState({ name: 'resting', reason, known: false });
  }

  #goDown(): void {
    const wasOffered = this.isOffered;
    this.#isDown = true;
    this.#isOwed = true;
    if (wasOffered) this.#tellGone();
  }

  #comeBack(): void {
    this.#isDown = false;
    if (this.#isOwed) this.#tellChanged();
  }

  #onToolsChanged(): void {
    this.#listing.outdate();
    if (this.isOffered) this.#tellChanged();
  }

  #onListed(): void {
    this.#record.succeeded();
    this.#options.onTools();
    if (this.#isOwed && this.isOffered) this.#tellChanged();
  }

  #onNotListed(error: unknown): void {
    this.#isOwed = true;
    this.#failed(error);
    // A dial that failed is told of as a state.
    if (!this.#isDown) this.#report(error);
  }

  #tellGone(): void {
    if (this.tools.length > 0) this.#tellChanged();
    this.#isOwed = true;
  }

  #tellChanged(): void {
    if (this.isOffered) this.#isOwed = false;
    this.#options.tell({ kind: 'toolsChanged', server: this.name, at: Date.now() });
  }

  #report(error: unknown): void {
    const failure = this.#record.failed(error);
    if (failure === undefined) return;
    this.#options.tell({ kind: 'error', server: this.name, at: Date.now(), error: failure });
  }

  async #hangUp(client: LongwireClient): Promise<void> {
    this.#isHangingUp = true;
    // The next session may have other tools.
    this.#isOwed = true;
    this.#listing.outdate();
    // Nobody is to use it any more from now on.
    if (client.state.name !== 'idle') this.#record.entered({ name: 'closed' }, Date.now());
    try {
      await client.close();
      this.#isDown = false;
      this.#record.entered(client.state, Date.now());
    } finally {
      this.#isHangingUp = false;
    }
  }

  #disabledError(what: string): LongwireError {
    return new LongwireError(`${what} was not made: the server ${this.name} is disabled`, {
      code: 'unknown-tool',
      certainty: 'not-sent',
      hint: 'enable it first',
    });
  }
}
