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
import { Call, ticketKey, type CallSurroundings } from '../client/call.js';
import type { LongwireClient } from '../client/client.js';
import { Listeners } from '../client/listeners.js';
import { checkOperationOptions } from '../client/options.js';
import { reportable } from '../client/sdk-errors.js';
import { ToolHandle } from '../client/tool-handle.js';
import type {
  CallToolOptions,
  ClientEvents,
  OperationOptions,
  ServerNotification,
  ToolSource,
} from '../client/types.js';
import { closedError } from '../connection/failures.js';
import type { ConnectionState } from '../connection/state.js';
import { ConnectError, ConnectionLostError, LongwireError, type ErrorCode } from '../errors.js';
import type { TargetOption } from '../target/target.js';
import { statusOf, type Member, type PoolTicket } from './backend.js';
import { Connections } from './connections.js';
import { resolvePoolOptions, type ResolvedPoolOptions } from './options.js';
import { ToolChanges } from './tool-changes.js';
import type { PoolOptions, PoolStatus } from './types.js';
import { WaitingLine } from './waiting-line.js';

/** Errors of a call that say that its server is not there. */
const UNREACHABLE: ReadonlySet<ErrorCode> = new Set([
  'connect-failed',
  'connect-timeout',
  'connection-lost',
]);

const TOOLS_CHANGED = 'notifications/tools/list_changed';

/**
 * Several connections to one server, or to several that are the same to the program, behind one
 * name. Nothing is dialled until the first call.
 */
export class LongwirePool implements ToolSource, AsyncDisposable {
  readonly #options: ResolvedPoolOptions;
  readonly #connections: Connections;
  readonly #waiting = new WaitingLine();
  readonly #listeners: Listeners<ClientEvents>;
  readonly #surroundings: CallSurroundings;
  readonly #toolChanges: ToolChanges;
  /** The connections that were told to report what a listener wants, by event. */
  readonly #heard = { notification: new WeakSet<Member>(), toolsChanged: new WeakSet<Member>() };
  #serverName: string | undefined;
  #told: ConnectionState['name'] = 'idle';
  #isClosed = false;
  /** How often it was closed. */
  #closings = 0;

  /** Use {@link createPool}. */
  constructor(target: TargetOption | readonly TargetOption[], options: PoolOptions = {}) {
    const targets = Array.isArray(target) ? (target as TargetOption[]) : [target as TargetOption];
    if (targets.length === 0) throw new TypeError('a pool needs a target');
    this.#options = resolvePoolOptions(options);
    const report = (error: unknown): void => this.#listeners.emit('error', reportable(error));
    this.#listeners = new Listeners(report);
    this.#surroundings = { clock: new CallClock(), onListenerError: report };
    this.#connections = new Connections(targets, this.#options, {
      onOpened: (member) => this.#opened(member),
      onChange: () => this.#tellState(),
      onRoom: () => this.#serve(),
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
    return this.#serverName ?? this.#connections.backends[0]?.name ?? 'pool';
  }

  /** Whether what the server says of its tools is believed, as the program says. */
  get trusted(): boolean {
    return this.#options.client.trusted === true;
  }

  /** Where the best of its connections stands. */
  get state(): ConnectionState {
    return this.#isClosed ? { name: 'closed' } : this.#connections.state;
  }

  /** What it does now. */
  status(): PoolStatus {
    const now = performance.now();
    return {
      waiting: this.#waiting.size,
      targets: this.#connections.backends.map((backend) => statusOf(backend, now)),
    };
  }

  /** All tools, every page, as a server sent them. */
  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    const tools = await this.#listTools(options);
    this.#toolChanges.learn(tools);
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
    return this.#run(`the call of ${name}`, options, (client, own) =>
      client.callTool(name, args, own),
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
   * Listens; the function returned stops listening. `state` is that of the best connection.
   * `toolsChanged` is told once for all connections, if the list differs; while there is a
   * listener, the tools are listed when a server says so. Another `notification` comes once from
   * each connection on which it was sent. Without a connection nothing is heard.
   */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    const stop = this.#listeners.add(event, listener);
    for (const member of this.#connections.all) this.#hear(member);
    return stop;
  }

  /**
   * Closes; calls under way or waiting fail with code `closed`. Fulfilled when nothing is left
   * open. The next call connects again.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closings++;
    this.#waiting.failAll(closedError('not-sent'));
    const closed = this.#connections.close();
    this.#tellState();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listTools(options: OperationOptions): Promise<Tool[]> {
    return this.#run('tools/list', options, (client, own) => client.listTools(own));
  }

  /** Runs one operation on a connection; on another one if it could not be sent on the first. */
  async #run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (client: LongwireClient, options: Options) => Promise<T>,
  ): Promise<T> {
    checkOperationOptions(options);
    this.#isClosed = false;
    const closings = this.#closings;
    const ticket: PoolTicket = { what, madeAt: performance.now(), tried: new Set() };
    const own = { ...options, [ticketKey]: ticket };
    for (;;) {
      const isNext = ticket.failure !== undefined || this.#waiting.size === 0;
      const member =
        (isNext ? this.#connections.take(ticket) : undefined) ?? (await this.#wait(ticket, own));
      try {
        // It may be gone since it was given.
        if (member.isOut && closings !== this.#closings) throw closedError('not-sent');
        const result = member.isOut ? undefined : { value: await run(member.client, own) };
        this.#connections.release(member, ticket);
        this.#serve();
        if (result !== undefined) return result.value;
      } catch (error) {
        this.#connections.release(member, ticket);
        ticket.failure = unsentOf(error, ticket);
        ticket.tried.add(member.backend);
        if (ticket.failure !== undefined && member.isOut) member.backend.lastError = ticket.failure;
        if (ticket.failure === undefined || closings !== this.#closings) {
          this.#serve();
          throw error;
        }
        if (!this.#connections.mayServe(ticket)) {
          this.#failed(ticket.failure);
          throw ticket.failure;
        }
      }
    }
  }

  /** Waits until a call is given a connection, for as long as it has time. */
  async #wait(ticket: PoolTicket, options: OperationOptions): Promise<Member> {
    const { maxQueued } = this.#options;
    if (ticket.failure === undefined && this.#waiting.size >= maxQueued) {
      throw queueFull(ticket, maxQueued);
    }
    const what = `${ticket.what}, waiting for a connection of the pool,`;
    const call = new Call(what, options, this.#surroundings);
    const waiting = this.#waiting.enter(ticket);
    try {
      return await call.before(waiting.turn);
    } catch (error) {
      this.#waiting.leave(waiting);
      if (waiting.member !== undefined) this.#connections.release(waiting.member, ticket);
      this.#serve();
      throw error;
    } finally {
      call.done();
    }
  }

  /** Gives connections to those that wait, in order. */
  #serve(): void {
    for (;;) {
      const { first } = this.#waiting;
      if (first === undefined) return;
      const { failure } = first.ticket;
      const isLost = failure !== undefined && !this.#connections.mayServe(first.ticket);
      const member = isLost ? undefined : this.#connections.take(first.ticket);
      if (!isLost && member === undefined) return;
      this.#waiting.leave(first);
      if (member !== undefined) first.give(member);
      else if (failure !== undefined) first.fail(failure);
    }
  }

  /** A call has found nothing to be sent on: those that wait would fare no better. */
  #failed(error: LongwireError): void {
    const isAllDown = this.#connections.all.length === 0 && error instanceof ConnectError;
    if (isAllDown) this.#waiting.failAll(error);
    else this.#serve();
  }

  #opened(member: Member): void {
    const { client } = member;
    client.on('error', (error) => this.#listeners.emit('error', error));
    client.on('state', ({ name }) => {
      if (name === 'ready') this.#serverName ??= client.name;
    });
    this.#hear(member);
  }

  /** Listens to a connection for what the program listens for; each one costs a server something. */
  #hear(member: Member): void {
    const { notification, toolsChanged } = this.#heard;
    const wants = (event: 'notification' | 'toolsChanged'): boolean => this.#listeners.has(event);
    if (wants('notification') && !notification.has(member)) {
      notification.add(member);
      member.client.on('notification', (message) => this.#notified(message));
    }
    if ((wants('notification') || wants('toolsChanged')) && !toolsChanged.has(member)) {
      toolsChanged.add(member);
      member.client.on('toolsChanged', () => this.#toolChanges.hint());
    }
  }

  #notified(notification: ServerNotification): void {
    // That one is told by what it changed.
    if (notification.method !== TOOLS_CHANGED) this.#listeners.emit('notification', notification);
  }

  #tellState(): void {
    const { state } = this;
    if (state.name === this.#told) return;
    this.#told = state.name;
    this.#listeners.emit('state', state);
  }
}

/** What a call failed with that certainly was not sent, if another connection may be better. */
function unsentOf(error: unknown, { what, isWithdrawn }: PoolTicket): LongwireError | undefined {
  if (isWithdrawn === true) {
    return new ConnectionLostError(`the connection was lost before ${what} was sent`, {
      certainty: 'not-sent',
      cause: error,
    });
  }
  if (!(error instanceof LongwireError) || error.certainty !== 'not-sent') return undefined;
  return error instanceof ConnectError || UNREACHABLE.has(error.code) ? error : undefined;
}

function queueFull({ what }: PoolTicket, maxQueued: number): LongwireError {
  return new LongwireError(
    `${what} was refused: all connections of the pool are busy, and ${maxQueued} calls wait already`,
    {
      code: 'queue-full',
      certainty: 'not-sent',
      hint: 'wait for some, or raise size or maxQueued',
    },
  );
}
