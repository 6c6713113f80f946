/// <reference lib="esnext.disposable" preserve="true" />
import type { Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import type { LongwireClient, TypedToolSource } from '../client/contract.js';
import type { OnceOptions } from '../client/next-event.js';
import type { AnyTools, ToolTypes } from '../client/tool-types.js';
import type { CallTimeouts, OperationOptions, TaskHandle } from '../client/types.js';
import type { CloseOptions } from '../client/under-way.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { GroupEventsOptions, GroupEventStream } from './event-queue.js';
import type { GroupEvents, GroupServer, ServerStatus } from './types.js';

/**
 * Many servers as one source of tools. `createGroup` makes one.
 *
 * - Names are unique: `server__tool`. A group that was made of one server has its tools under their own
 *   names.
 * - A name belongs to one tool for good. No tool changes its name, and none gets that of another, also
 *   when the other is gone or its server was removed.
 * - `files__read` is never a tool of another server that lists a tool of this name.
 * - A tool is called by the name that `listTools` gives it, or by `server__tool`. While its server works
 *   on `maxInFlight` calls it waits in a queue, within its own limits. Then it is a call of a client.
 *   An `unknown-tool` error names the nearest.
 *
 * `Tools` is what is known of its tools when the program is compiled, by the names that the group
 * gives them (see {@link ToolTypes}).
 */
export interface Group<Tools extends ToolTypes<Tools> = AnyTools>
  extends TypedToolSource<Tools>, AsyncDisposable {
  /** The name given, else `group`. */
  readonly name: string;
  /** How long calls may take that say nothing of it, where their server's client says nothing. */
  readonly timeouts: CallTimeouts;
  /**
   * The same group as one principal: see `as` of a client. Its lists and calls are those of the principal
   * on each server; the servers, their names, limits and breakers are those of the group.
   *
   * - Credentials go to every server that is reached by HTTP. Where servers are not to know those of each
   *   other, give functions: they are told the address.
   * - What the group connects to for itself is not needed: with `lazy` it does not.
   * - `close()` of the view closes the principal's sessions. Servers are added and removed by the group.
   *
   * @throws TypeError for a name that is none, for credentials that cannot be sent, and for a server
   * that was given as a source without `as`.
   */
  as(principal: string, credentials?: PrincipalCredentials): Group<Tools>;
  /**
   * Connects to all servers that are not disabled, lazy ones too. Fulfilled when each of them is
   * connected or has failed; `status()` says which.
   *
   * @throws LongwireError `aborted`.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * The tools of all servers that are there. A server that does not list its tools within `listMs`
   * adds those that it listed last, if any. A server that is down or disabled adds none. A list that
   * comes later is announced by `toolsChanged`.
   *
   * @throws LongwireError `aborted`.
   */
  listTools(options?: OperationOptions): Promise<Tool[]>;
  /**
   * The hints of a listed tool that are believed: those of a server that is `trusted`, and those that
   * the program itself gives by an override.
   */
  trustedHints(tool: Tool): ToolAnnotations | undefined;
  /**
   * A handle on a task that a call has become on one of its servers: `server` of the handle that `onTask`
   * gives says on which.
   *
   * @throws TypeError for what is no id, if there is no such server, or if it is a source without `task`.
   */
  task(taskId: string, server: string): TaskHandle;
  /** Listens; the function returned stops listening. */
  on<Event extends keyof GroupEvents>(
    event: Event,
    listener: (payload: GroupEvents[Event]) => void,
  ): () => void;
  /**
   * Waits for the next event of a kind, of any server.
   *
   * @throws LongwireError `aborted`, `timeout`, or `closed` when the group is closed meanwhile.
   */
  once<Event extends keyof GroupEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<GroupEvents[Event]>;
  /**
   * The events from now on, to be read by `for await`. There may be many readers; each gets all
   * events. It ends when the group is closed, by `signal`, or when the loop is left.
   *
   * @throws TypeError that names the option that is wrong.
   */
  events(options?: GroupEventsOptions): GroupEventStream;
  /** How each server is, in the order in which they were added. */
  status(): ServerStatus[];
  /**
   * The client of a server: for resources, prompts, its state, its `stats()`.
   *
   * @throws TypeError if there is no such server, or it is a pool or the like.
   */
  server(name: string): LongwireClient;
  /**
   * How a server is, by a small request now. A server that does not answer, or was never used, is `down`.
   *
   * @throws TypeError if there is no such server; LongwireError `aborted`.
   */
  health(name: string, options?: HealthOptions): Promise<Health>;
  /**
   * Adds a server, which connects at once unless it is lazy or disabled.
   *
   * @throws TypeError if there is one of this name, or an option is wrong.
   */
  add(server: GroupServer): void;
  /**
   * Removes a server. Its calls, those that wait included, fail with code `closed`. A client that the
   * program gave stays open. Fulfilled when nothing else of it is left open.
   */
  remove(name: string): Promise<void>;
  /** Closes a server, and asks nothing of it until it is enabled; otherwise as {@link remove}. */
  disable(name: string): Promise<void>;
  /** Uses a server again that was disabled. It connects at once unless it is lazy. */
  enable(name: string): void;
  /**
   * Connects to a server anew.
   *
   * - A connection that rests dials at once. Its subscriptions and log level are restored.
   * - Any other connection is closed first. Its calls fail with code `closed`; calls in the queue
   *   stay in it. Subscriptions must be made again.
   *
   * @throws ConnectError; LongwireError `aborted`, `closed`; TypeError if there is no such server.
   */
  reconnect(name: string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Whether `close()` was called, and nothing has been asked since: it drains, or is closed. */
  readonly isClosing: boolean;
  /**
   * Closes every client that the group has made, and ends the readers of its events. Fulfilled when
   * nothing is left open. The next use connects again. A client that the program gave stays open, and so
   * do the calls that it has.
   *
   * - Calls under way fail with code `closed`, and say which they were.
   * - With `drainMs` they have so long to finish, those included that wait in a queue or for a server
   *   that is away. Other calls meanwhile fail with code `closed`, certainly not sent.
   * - `onCut` is told of each call of the group that did not finish.
   *
   * @throws TypeError that names the option.
   */
  close(options?: CloseOptions): Promise<void>;
}
