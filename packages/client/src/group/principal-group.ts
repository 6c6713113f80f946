/// <reference lib="esnext.disposable" preserve="true" />
import { checkTaskId, passOnTask } from '../client/task-handle.js';
import type { CallToolResult, Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import { isClient, type LongwireClient } from '../client/contract.js';
import type { OnceOptions } from '../client/next-event.js';
import { NextEvents } from '../client/next-event.js';
import { optionsOfView } from '../client/options.js';
import { ofSamePrincipal, type PrincipalRecord, type Principals } from '../client/principals.js';
import { callAsWanted, type ResultWithData } from '../client/result-data.js';
import { createToolHandle, type ToolHandle } from '../client/tool-handle.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  OperationOptions,
  TaskHandle,
  ToolSource,
} from '../client/types.js';
import type { CloseOptions, UnderWay } from '../client/under-way.js';
import { ViewListeners } from '../client/view-listeners.js';
import { closedError } from '../connection/failures.js';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { Group } from './contract.js';
import { EventQueue, type GroupEventsOptions, type GroupEventStream } from './event-queue.js';
import { healthOf } from './health.js';
import type { PrincipalMember, PrincipalTools } from './principal-tools.js';
import type { GroupEvents, ServerStatus } from './types.js';

/** The events of `events()`. */
const QUEUED = ['state', 'notification', 'toolsChanged', 'progress', 'breaker', 'error'] as const;

/** What a {@link PrincipalGroup} is made with. */
export interface PrincipalGroupSettings {
  group: Group;
  /** What is under way in the group. */
  underWay: UnderWay;
  principals: Principals<PrincipalTools>;
  record: PrincipalRecord<PrincipalTools>;
}

/** A group as one of its principals: see `group.as`. */
export class PrincipalGroup implements Group {
  readonly #group: Group;
  readonly #underWay: UnderWay;
  readonly #principals: Principals<PrincipalTools>;
  readonly #nextEvents = new NextEvents();
  readonly #listeners: ViewListeners<PrincipalTools>;
  #latest: PrincipalRecord<PrincipalTools>;

  constructor({ group, underWay, principals, record }: PrincipalGroupSettings) {
    this.#group = group;
    this.#underWay = underWay;
    this.#principals = principals;
    this.#listeners = new ViewListeners(principals);
    this.#latest = record;
  }

  get name(): string {
    return this.#group.name;
  }

  get timeouts(): CallTimeouts {
    return this.#group.timeouts;
  }

  as(principal: string, credentials?: PrincipalCredentials): Group {
    ofSamePrincipal(this.#latest.id, principal);
    return this.#group.as(principal, credentials);
  }

  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    await this.#run('connecting', limits, async (tools) => {
      const clients = tools.enabled.map(({ source }) => source).filter(isClient);
      await Promise.allSettled(clients.map((client) => client.connect(options)));
      options.signal?.throwIfAborted();
    });
  }

  listTools(options: OperationOptions = {}): Promise<Tool[]> {
    return this.#run('tools/list', options, (tools, own) => tools.directory.list(own));
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
    return callAsWanted(name, { options, timeouts: this.timeouts }, (rest) =>
      this.#run(`the call of ${name}`, rest, (tools, own) => tools.call(name, args, own)),
    );
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  task(taskId: string, server: string): TaskHandle {
    checkTaskId(taskId);
    // It says that there is none of this name.
    this.#group.task(taskId, server);
    return passOnTask({
      taskId,
      server: () => server,
      within: (what, options, run) =>
        this.#run(what, options, (tools, own) => {
          const member = tools.members().find(({ name }) => name === server);
          if (member === undefined)
            throw new TypeError(`task: there is no server ${server} any more`);
          return run(member.task(taskId), own);
        }),
    });
  }

  trustedHints({ name }: Tool): ToolAnnotations | undefined {
    const found = this.#record.session?.directory.shown(name);
    return found?.member.member.trustedHints(found.selected);
  }

  on<Event extends keyof GroupEvents>(
    event: Event,
    listener: (payload: GroupEvents[Event]) => void,
  ): () => void {
    if (event === 'breaker') return this.#listeners.until(this.#group.on(event, listener));
    return this.#listeners.listen(this.#record, ({ enabled }) => {
      const stops = enabled.map((member) =>
        this.#listen(member, event as keyof ClientEvents, listener as never),
      );
      return () => {
        for (const stop of stops) stop();
      };
    });
  }

  once<Event extends keyof GroupEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<GroupEvents[Event]> {
    return this.#nextEvents.next(event, (listener) => this.on(event, listener), options);
  }

  events(options: GroupEventsOptions = {}): GroupEventStream {
    const stops: (() => void)[] = [];
    const queue = new EventQueue(options, () => {
      for (const stop of stops.splice(0)) stop();
    });
    if (queue.hasEnded) return queue;
    for (const event of QUEUED) stops.push(this.on(event, (happened) => queue.push(happened)));
    stops.push(this.#listeners.until(() => queue.end()));
    return queue;
  }

  status(): ServerStatus[] {
    return this.#group.status();
  }

  server(name: string): LongwireClient {
    // It says that there is none of this name, or that it is no client.
    this.#group.server(name);
    return this.#memberNamed(name)?.source as LongwireClient;
  }

  async health(name: string, options: HealthOptions = {}): Promise<Health> {
    checkHealthOptions(options);
    const member = this.#memberNamed(name);
    if (member?.isOffered !== true) return this.#group.health(name, options);
    return healthOf(member.source, { ...options, since: undefined, isDisabled: false });
  }

  add(): never {
    throw ofTheGroup('add');
  }

  remove(): never {
    throw ofTheGroup('remove');
  }

  disable(): never {
    throw ofTheGroup('disable');
  }

  enable(): never {
    throw ofTheGroup('enable');
  }

  reconnect(): never {
    throw ofTheGroup('reconnect');
  }

  get isClosing(): boolean {
    return this.#group.isClosing || this.#record.session?.underWay.isClosing === true;
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const record = this.#record;
    const tools = this.#principals.sessionOf(record);
    await tools.underWay.close(options, async (drainMs) => {
      await Promise.all(tools.enabled.map(({ source }) => closeIn(source, { drainMs })));
      await this.#principals.close(record);
    });
    this.#nextEvents.failAll(closedError('not-sent'));
  }

  /** Others may act for the same principal: its session stays, and ends when it is idle. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.end();
    this.#nextEvents.failAll(closedError('not-sent'));
  }

  get #record(): PrincipalRecord<PrincipalTools> {
    this.#latest = this.#principals.latest(this.#latest);
    return this.#latest;
  }

  #memberNamed(name: string): PrincipalMember | undefined {
    const tools = this.#principals.sessionOf(this.#record);
    return tools.members().find((member) => member.name === name);
  }

  /** Listens to the sessions of the principal, and says of which server an event is. */
  #listen(
    member: PrincipalMember,
    event: keyof ClientEvents,
    listener: (event: unknown) => void,
  ): () => void {
    const { source } = member;
    const stamp = (): { server: string; at: number } => ({ server: member.name, at: Date.now() });
    if (event === 'toolsChanged') {
      return source.on(event, () => {
        member.outdate();
        listener({ ...stamp(), type: 'tools-changed' });
      });
    }
    if (!isClient(source)) return () => {};
    return source.on(event, (payload) => {
      if (event === 'state') listener({ ...stamp(), type: event, state: payload });
      else if (event === 'error') listener({ ...stamp(), type: event, error: payload });
      else if (event === 'notification' || event === 'progress') {
        listener({ ...(payload as object), ...stamp(), type: event });
      } else listener({ ...(payload as object | undefined), ...stamp() });
    });
  }

  async #run<Options extends OperationOptions, T>(
    what: string,
    given: Options,
    run: (tools: PrincipalTools, options: Options) => Promise<T>,
  ): Promise<T> {
    const asked = { what, options: optionsOfView(given, this) };
    return this.#underWay.run(what, () =>
      this.#principals.run(this.#record, asked, (tools, own) =>
        tools.underWay.run(what, () => run(tools, own)),
      ),
    );
  }
}

async function closeIn(source: ToolSource, options: CloseOptions): Promise<void> {
  if ('close' in source && typeof source.close === 'function') await source.close(options);
}

function ofTheGroup(method: string): TypeError {
  return new TypeError(`${method}: the servers are those of the group; use the group itself`);
}
