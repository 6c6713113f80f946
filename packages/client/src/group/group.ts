/// <reference lib="esnext.disposable" preserve="true" />
import { checkTaskId, passOnTask } from '../client/task-handle.js';
import { taskOf } from './server-task.js';
import type { CallToolResult, Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import { displayUrl } from '../http/display-url.js';
import { CallClock } from '../client/call-clock.js';
import { Call, type SharedCallOptions } from '../client/call.js';
import { ServiceClient } from '../client/service-client.js';
import { isClient, type LongwireClient } from '../client/contract.js';
import { CLIENT_EVENTS, eventOf } from '../client/events.js';
import { Listeners } from '../client/listeners.js';
import { NextEvents, type OnceOptions } from '../client/next-event.js';
import { callTimeouts, checkOperationOptions } from '../client/options.js';
import { Principals } from '../client/principals.js';
import { reportable } from '../client/sdk-errors.js';
import { callAsWanted, type ResultWithData } from '../client/result-data.js';
import { createToolHandle, type ToolHandle } from '../client/tool-handle.js';
import type { AnyTools, ToolTypes } from '../client/tool-types.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  OperationOptions,
  TaskHandle,
} from '../client/types.js';
import { UnderWay, type CloseOptions } from '../client/under-way.js';
import { closedError } from '../connection/failures.js';
import { nearest } from '../nearest.js';
import { withDefaults } from '../options/option.js';
import {
  checkPrincipal,
  PRINCIPALS,
  type PrincipalCredentials,
} from '../options/principal-options.js';
import { parseTarget } from '../dial/target.js';
import type { Group } from './contract.js';
import { EventQueue, type GroupEventsOptions, type GroupEventStream } from './event-queue.js';
import type { Health, HealthOptions } from '../health/health.js';
import { GroupMember } from './member.js';
import type { GroupMemberOptions } from './member-options.js';
import {
  checkServer,
  listServers,
  resolveGroupOptions,
  type ResolvedGroupOptions,
} from './options.js';
import { PrincipalGroup } from './principal-group.js';
import { checkPrincipals, PrincipalTools } from './principal-tools.js';
import { ToolDirectory } from './tool-directory.js';
import { prefixFor } from './tool-names.js';
import { toolSelector } from './tool-selection.js';
import type {
  GroupEvent,
  GroupEvents,
  GroupOptions,
  GroupServer,
  GroupServers,
  ServerStatus,
} from './types.js';

/**
 * Makes a group of servers, and connects to each of them in the background, or with `lazy` when it
 * is first used. A server that is slow or broken delays no other. `status()` and the events say how
 * each of them is. `Tools` is what is known of its tools when the program is compiled, by the names
 * that the group gives them: see {@link ToolTypes}.
 *
 * @throws TypeError for two servers of one name, a target or an option that is wrong; it names the
 * server.
 */
export function createGroup<Tools extends ToolTypes<Tools> = AnyTools>(
  servers: GroupServers,
  options: GroupOptions = {},
): Group<Tools> {
  // What `Tools` says is the word of the program.
  const group: Group = new ServerGroup(servers, options);
  return group as Group<Tools>;
}

/** Many servers as one source of tools: see {@link Group}. */
export class ServerGroup implements Group {
  readonly timeouts: CallTimeouts;
  readonly #options: ResolvedGroupOptions;
  readonly #members = new Map<string, GroupMember>();
  readonly #listeners: Listeners<GroupEvents>;
  readonly #nextEvents = new NextEvents();
  readonly #queues = new Set<EventQueue>();
  readonly #shared: SharedCallOptions;
  readonly #underWay = new UnderWay(() => this.name);
  readonly #directory: ToolDirectory<GroupMember>;
  #principals: Principals<PrincipalTools> | undefined;
  /** It was closed before it began. */
  #isClosed = false;
  /** The event that is being emitted, for what its listeners throw. */
  #emitting: GroupEvent | undefined;

  /** Use {@link createGroup}. */
  constructor(servers: GroupServers, options: GroupOptions = {}) {
    this.#options = resolveGroupOptions(options);
    this.#listeners = new Listeners({ ...CLIENT_EVENTS, breaker: true }, (error) =>
      this.#onListenerError(error),
    );
    this.timeouts = callTimeouts(this.#options.shared.timeouts);
    const { timeouts } = this;
    this.#shared = { clock: new CallClock(), timeouts, onListenerError: () => {} };
    const members = (): Iterable<GroupMember> => this.#members.values();
    const { listMs } = this.#options;
    this.#directory = new ToolDirectory({ members, listMs, shared: this.#shared });
    const listed = listServers(servers);
    for (const server of listed) this.#enter(server, { isAlone: listed.length === 1 });
    // The program can add listeners before anything happens.
    queueMicrotask(() => {
      if (this.#isClosed) return;
      for (const member of this.#members.values()) if (!member.isLazy) member.begin();
    });
  }

  get name(): string {
    return this.#options.name;
  }

  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    // `timeouts.connectMs` of each client limits it.
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    await this.#within('connecting', limits, () =>
      Promise.allSettled([...this.#members.values()].map((member) => member.connect(options))),
    );
  }

  async listTools(options: OperationOptions = {}): Promise<Tool[]> {
    checkOperationOptions(options);
    const other = this.#asSaid(options);
    if (other !== undefined) return other.listTools(options);
    return this.#underWay.run('tools/list', () => this.#directory.list(options));
  }

  callTool<Data>(
    name: string,
    args: object | undefined,
    options: CheckedCallOptions<Data>,
  ): Promise<ResultWithData<Data>>;
  callTool(name: string, args?: object, options?: CallToolOptions): Promise<CallToolResult>;
  async callTool(
    name: string,
    args: object = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    checkOperationOptions(options);
    const other = this.#asSaid(options);
    if (other !== undefined) return other.callTool(name, args, options);
    return this.#underWay.run(`the call of ${name}`, () =>
      callAsWanted(name, { options, timeouts: this.timeouts }, async (rest) => {
        const { member, selected } =
          this.#directory.find(name) ?? (await this.#directory.seek(name, rest));
        return member.call(selected, { name, args, options: rest });
      }),
    );
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  task(taskId: string, server: string): TaskHandle {
    checkTaskId(taskId);
    const member = this.#member(server);
    const task = taskOf(member.source, taskId, member);
    return passOnTask({
      taskId,
      server: () => server,
      within: async (what, options, run) => {
        checkOperationOptions(options);
        const other = this.#asSaid(options);
        if (other !== undefined) return run(other.task(taskId, server), options);
        return this.#underWay.run(what, () => run(task, options));
      },
    });
  }

  as(principal: string, credentials?: PrincipalCredentials): Group {
    checkPrincipal(principal, credentials, { hasHeaders: true });
    for (const member of this.#members.values()) if (!member.isDisabled) checkPrincipals(member);
    const { listMs, shared: options } = this.#options;
    this.#principals ??= new Principals<PrincipalTools>({
      options: withDefaults(PRINCIPALS, options.principals),
      create: (own) =>
        new PrincipalTools(own, {
          name: this.name,
          members: () => this.#members.values(),
          listMs,
          shared: this.#shared,
        }),
      shared: this.#shared,
    });
    const record = this.#principals.of(principal, credentials);
    const underWay = this.#underWay;
    return new PrincipalGroup({ group: this, underWay, principals: this.#principals, record });
  }

  trustedHints({ name }: Tool): ToolAnnotations | undefined {
    const found = this.#directory.shown(name);
    return found?.member.trustedHints(found.selected);
  }

  on<Event extends keyof GroupEvents>(
    event: Event,
    listener: (payload: GroupEvents[Event]) => void,
  ): () => void {
    return this.#listeners.add(event, listener);
  }

  once<Event extends keyof GroupEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<GroupEvents[Event]> {
    return this.#nextEvents.next(event, (listener) => this.on(event, listener), options);
  }

  events(options: GroupEventsOptions = {}): GroupEventStream {
    const queue = new EventQueue(options, (ended) => this.#queues.delete(ended));
    if (!queue.hasEnded) this.#queues.add(queue);
    return queue;
  }

  status(): ServerStatus[] {
    return [...this.#members.values()].map(({ status }) => status);
  }

  server(name: string): LongwireClient {
    const { source } = this.#member(name);
    if (isClient(source)) return source;
    throw new TypeError(`${name} is no single client: it was given as a source of tools`);
  }

  async health(name: string, options: HealthOptions = {}): Promise<Health> {
    return this.#member(name).health(options);
  }

  add(server: GroupServer): void {
    this.#enter(server, { isAlone: false }).start();
  }

  async remove(name: string): Promise<void> {
    const member = this.#member(name);
    this.#members.delete(name);
    this.#directory.outdate();
    await member.remove();
  }

  async disable(name: string): Promise<void> {
    await this.#member(name).disable();
  }

  enable(name: string): void {
    const member = this.#member(name);
    if (member.isDisabled) member.enable();
  }

  async reconnect(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#member(name).reconnect(options);
  }

  get isClosing(): boolean {
    return this.#underWay.isClosing;
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#underWay.close(options, async (drainMs) => {
      this.#isClosed = true;
      await Promise.all([...this.#members.values()].map((member) => member.close({ drainMs })));
      await this.#principals?.closeAll();
      for (const queue of this.#queues) queue.end();
      this.#nextEvents.failAll(closedError('not-sent'));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enter(server: GroupServer, { isAlone }: { isAlone: boolean }): GroupMember {
    checkServer(server);
    const { name } = server;
    if (this.#members.has(name)) throw new TypeError(`servers: there are two named ${name}`);
    const taken = new Set([...this.#members.values()].map(({ prefix }) => prefix));
    const { lazy, maxInFlight, breaker } = this.#options;
    const reached = this.#reach(server);
    const { timeouts = this.timeouts } = reached.source;
    const member = new GroupMember({
      name,
      prefix: isAlone ? '' : prefixFor(name, taken),
      ...reached,
      isTrusted: server.trusted,
      isDisabled: server.disabled ?? false,
      isLazy: server.lazy ?? lazy,
      maxInFlight: server.maxInFlight ?? maxInFlight,
      breaker,
      select: toolSelector(server.tools ?? {}),
      shared: { ...this.#shared, timeouts },
      emit: (event) => this.#emit(event),
      onTools: () => this.#directory.outdate(),
    });
    this.#members.set(name, member);
    this.#directory.outdate();
    return member;
  }

  #reach(
    server: GroupServer,
  ): Pick<GroupMemberOptions, 'source' | 'target' | 'isOwn' | 'whenAway'> {
    if ('client' in server) {
      const { client } = server;
      return { source: client, target: client.name, isOwn: false, whenAway: undefined };
    }
    const { name, target, options } = server;
    try {
      const own = { ...this.#options.shared, ...options, name };
      const client = new ServiceClient(target, own);
      const parsed = parseTarget(target);
      const shown = parsed.kind === 'url' ? displayUrl(parsed.url) : parsed.name;
      return { source: client, target: shown, isOwn: true, whenAway: own.whenAway };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`servers.${name}: ${error.message}`, { cause: error });
    }
  }

  /** The group as the principal that the options of an operation name, if they do. */
  #asSaid({ principal }: OperationOptions): Group | undefined {
    if (principal === undefined) return undefined;
    const { id, ...credentials } = principal;
    return this.as(id, credentials);
  }

  #member(name: string): GroupMember {
    const member = this.#members.get(name);
    if (member !== undefined) return member;
    const [meant] = nearest(name, [...this.#members.keys()]);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw new TypeError(`there is no server ${name} in this group${hint}`);
  }

  /** Waits for something within the limits of an operation. */
  async #within<T>(what: string, options: OperationOptions, run: () => Promise<T>): Promise<T> {
    return new Call(what, options, this.#shared).during(run());
  }

  #emit(event: GroupEvent): void {
    const before = this.#emitting;
    this.#emitting = event;
    const name = event.type === 'tools-changed' ? 'toolsChanged' : event.type;
    this.#listeners.emit(name, event as never);
    if (event.type === 'notification') this.#emitRead(event);
    this.#emitting = before;
    for (const queue of this.#queues) queue.push(event);
  }

  /** What a notification says, as an event of its own. */
  #emitRead({ server, at, ...notification }: GroupEvents['notification']): void {
    const read = eventOf(notification);
    // Of the tools, the group says itself what changed.
    if (read === undefined || read.name === 'toolsChanged') return;
    this.#listeners.emit(read.name, { ...read.payload, server, at } as never);
  }

  #onListenerError(thrown: unknown): void {
    const emitting = this.#emitting;
    // Nobody is left to take what a listener for errors throws.
    if (emitting === undefined || emitting.type === 'error') return;
    const { server } = emitting;
    this.#emit({ type: 'error', server, at: Date.now(), error: reportable(thrown) });
  }
}
