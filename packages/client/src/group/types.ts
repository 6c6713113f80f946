import type { Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import type {
  ClientEvents,
  ClientOptions,
  ServerNotification,
  ToolProgress,
  ToolSource,
  Waiting,
} from '../client/types.js';
import type { BreakerOptions, BreakerStatus } from '../health/breaker.js';
import type { ConnectionState } from '../connection/state.js';
import type { ErrorCode, LongwireError } from '../errors.js';
import type { TargetOption } from '../dial/target.js';

/** What a group shows of a tool instead of what its server says. */
export interface ToolOverride {
  /**
   * Its name, without the server's prefix. If the server lists another tool of that name, the tool
   * keeps its own, and an `error` event says so.
   */
  name?: string;
  /** What it is said to do. */
  description?: string;
  /**
   * Laid over the server's own, and believed as the program's word. A tool that is called read-only
   * or idempotent here may be sent again when the connection is lost, as if the server had said so.
   */
  annotations?: ToolAnnotations;
}

/**
 * Which tools of a server a group has, and how it shows them. All names and patterns are the
 * server's own, without a prefix; in a pattern `*` is any text, `?` one character, `{a,b}` either.
 */
export interface ToolSelection {
  /** Only tools that one of these patterns matches. Default: all. */
  include?: readonly string[];
  /** None that one of these patterns matches, included or not. Default: none. */
  exclude?: readonly string[];
  /** What is shown instead, by the tool's name. Default: nothing. */
  override?: Readonly<Record<string, ToolOverride>>;
}

/** What can be said of a server of a group, however it is reached. */
export interface ServerSettings {
  /** Which tools the group has of it. Default: all, as they are. */
  tools?: ToolSelection;
  /**
   * Whether what it says of its tools is believed where somebody would be asked otherwise. Default:
   * what its client says, and that is `false`.
   */
  trusted?: boolean;
  /** Nothing is asked of it, and its tools are not there, until it is enabled. Default `false`. */
  disabled?: boolean;
  /** Connects on first use, not at once. Default: the group's. */
  lazy?: boolean;
  /** How many calls it works on at a time; the others wait in order. Default: the group's. */
  maxInFlight?: number;
}

/** A server that the group connects to, and closes. */
export interface ServerByTarget extends ServerSettings {
  /** Where it is. */
  target: TargetOption;
  /** How it is reached. These come before what the group's servers share, option by option. */
  options?: Omit<ClientOptions, 'name'>;
}

/** A server that the program holds a client of, or a pool. The group never closes it. */
export interface ServerByClient extends ServerSettings {
  /** A client, a pool, or another source of tools. */
  client: ToolSource;
}

/** A server of a group. */
export type GroupServer = (ServerByTarget | ServerByClient) & {
  /** What it is called: in its tools' prefix, in events, and wherever it is asked for. */
  name: string;
};

/** The servers of a group: a list of them, or by name. */
export type GroupServers =
  | readonly GroupServer[]
  | Readonly<Record<string, TargetOption | ToolSource | ServerByTarget | ServerByClient>>;

/** Options of a group. */
export interface GroupOptions {
  /** A short name, for logs. Default `group`. */
  name?: string;
  /**
   * The client options of all servers that the group connects to. Headers that are here go to every
   * one of them: what is meant for one server alone belongs to its own options. Default: nothing.
   */
  shared?: Omit<ClientOptions, 'name'>;
  /** Connects to a server on its first use, not at once. Default `false`. */
  lazy?: boolean;
  /** How many calls one server works on at a time; the others wait in order. Default 100. */
  maxInFlight?: number;
  /**
   * How long `listTools` waits for one server, in milliseconds. The time begins when the server is
   * asked. A list that comes later is reported as `toolsChanged`. Default 5 000.
   */
  listMs?: number;
  /**
   * A circuit breaker for each server: it opens after failures in a row, and then calls fail at once,
   * certainly not sent, and so do those that wait. `openMs` later one call tries the server. What the
   * program or a tool causes is no failure. Default `false`.
   */
  breaker?: BreakerOptions | false;
}

/** What happened, with the server it happened to and when, in milliseconds since 1970. */
interface Stamp {
  server: string;
  at: number;
}

/**
 * What happens in a group, as `events()` gives it: the events of a client, and of which server.
 *
 * - `state`: the state of its connection changed.
 * - `notification`: it sent a notification.
 * - `tools-changed`: the tools that it adds to the group's changed, came or went.
 * - `waiting`: a call begins to wait for its server, which is away.
 * - `breaker`: the state of its circuit breaker changed.
 * - `progress`: a call of one of its tools made progress; `tool` is what the server calls it. A reader gets
 *   these only if its `types` name them.
 * - `error`: something failed that belongs to no call.
 */
export type GroupEvent =
  | (Stamp & { type: 'state'; state: ConnectionState })
  | (Stamp & { type: 'notification' } & ServerNotification)
  | (Stamp & { type: 'tools-changed' })
  | (Stamp & { type: 'waiting' } & Omit<Waiting, 'server'>)
  | (Stamp & { type: 'breaker'; breaker: BreakerStatus })
  | (Stamp & { type: 'progress' } & ToolProgress)
  | (Stamp & { type: 'error'; error: LongwireError });

/** What a group reports, by event name. */
export interface GroupEvents {
  state: Extract<GroupEvent, { type: 'state' }>;
  notification: Extract<GroupEvent, { type: 'notification' }>;
  /** A server sent a log message. */
  log: Stamp & ClientEvents['log'];
  /** A resource of a server, which the program subscribed to, changed or may have. */
  resourceUpdated: Stamp & ClientEvents['resourceUpdated'];
  toolsChanged: Extract<GroupEvent, { type: 'tools-changed' }>;
  waiting: Extract<GroupEvent, { type: 'waiting' }>;
  /** The list of resources of a server changed. */
  resourcesChanged: Stamp;
  /** The list of prompts of a server changed. */
  promptsChanged: Stamp;
  progress: Extract<GroupEvent, { type: 'progress' }>;
  breaker: Extract<GroupEvent, { type: 'breaker' }>;
  error: Extract<GroupEvent, { type: 'error' }>;
}

/** How a server of a group is. Times are in milliseconds since 1970. */
export interface ServerStatus {
  name: string;
  /** Where it is, as it may be shown: a URL without its query, or the name of a command. */
  target: string;
  /**
   * The state of its connection. `resting` is a server that is down: its tools are left out until
   * it is `ready` again. Of a source that has no connection of its own: `ready`.
   */
  state: ConnectionState['name'];
  /** Since when. */
  since: number;
  /** It was disabled. */
  disabled: boolean;
  /** It connects on its first use. */
  lazy: boolean;
  /** How many tools it adds to the group's now. */
  tools: number;
  /** Calls in flight. */
  inFlight: number;
  /** Calls in the queue. */
  waiting: number;
  /** Its circuit breaker, if it has one. */
  breaker: BreakerStatus | undefined;
  /** How often its connection was restored. */
  reconnects: number;
  /** What failed last, if anything ever did: a call, connecting, listing its tools. */
  lastError: { at: number; code: ErrorCode; summary: string } | undefined;
  /** When it last answered a call, or listed its tools. */
  lastSuccessAt: number | undefined;
}

/** A tool as a group shows it, but for the prefix, and what its server calls it. */
export interface SelectedTool {
  readonly tool: Tool;
  readonly original: string;
  /** As its server listed it. */
  readonly listed: Tool;
  /** What the program itself says of it. */
  readonly annotations: ToolAnnotations | undefined;
  /** The program says that it does no harm to call it twice. */
  readonly isIdempotent: boolean;
}
