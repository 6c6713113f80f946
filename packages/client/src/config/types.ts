import type { ToolAnnotations } from '@modelcontextprotocol/client';
import type { ClientOptions } from '../client/types.js';
import type { CommandTarget } from '../target/target.js';

/** Which tools of a server are offered, and how they are told of. */
export interface ToolsConfig {
  /** Patterns of the tools to offer; an empty list is none. Default: all. */
  include?: string[];
  /** Patterns of the tools to leave out, of those that are included. Default: none. */
  exclude?: string[];
  /** What is told of tools instead of what the server says, by their name on the server. */
  override?: Record<string, { name?: string; description?: string; annotations?: ToolAnnotations }>;
}

/** A middleware by its name; programs have the functions to it. */
export interface MiddlewareConfig {
  name: string;
  /** As they are written. Default: none. */
  options: Readonly<Record<string, unknown>>;
}

/** One server of a configuration. */
export interface ServerConfig {
  /** What the file calls it. */
  name: string;
  /** Where it is written: file and line. */
  place: string;
  /** Its URL, or the command that starts it. */
  target: string | CommandTarget;
  /** What its client is made with; its name among them, middlewares not. */
  options: Pick<
    ClientOptions,
    | 'name'
    | 'headers'
    | 'timeouts'
    | 'retry'
    | 'heartbeat'
    | 'limits'
    | 'cookies'
    | 'keepAlive'
    | 'transport'
    | 'protocol'
    | 'trusted'
  > & { headers?: Readonly<Record<string, string>> };
  /** What stands around every request; the first is outermost. */
  middleware: readonly MiddlewareConfig[];
  /** Which tools are offered. */
  tools: ToolsConfig;
  /** It is to be left out; its variables are as they are written. */
  disabled: boolean;
  /** The names of the environment variables that went into it. */
  variables: readonly string[];
}

/** What a configuration file says. */
export interface Config {
  /** In the order of the file, disabled ones included. */
  servers: ServerConfig[];
  /** What the file has that is not used here, in words for a person. */
  remarks: readonly string[];
}
