import type { ToolAnnotations } from '@modelcontextprotocol/client';
import type { ClientOptions } from '../client/types.js';
import type { CommandTarget } from '../dial/target.js';
import type { ConfigInput } from './inputs.js';

/** Which tools of a server there are, and how they are described. */
export interface ToolsConfig {
  /** Patterns of the tools to include; an empty list includes none. Default: all. */
  include?: string[];
  /** Patterns of the tools to exclude, of those that are included. Default: none. */
  exclude?: string[];
  /** What replaces the server's own description of a tool, by the tool's name on the server. */
  override?: Record<string, { name?: string; description?: string; annotations?: ToolAnnotations }>;
}

/** A middleware by its name; a program has the function for it. */
export interface MiddlewareConfig {
  name: string;
  /** As they are written. Default: none. */
  options: Readonly<Record<string, unknown>>;
}

/** The options of a client that `longwire.json` may have for a server. */
export type FileOptions = Pick<
  ClientOptions,
  | 'timeouts'
  | 'retry'
  | 'heartbeat'
  | 'limits'
  | 'cookies'
  | 'keepAlive'
  | 'transport'
  | 'protocol'
  | 'trusted'
>;

/** How a configured server is reached. */
export interface NetworkConfig {
  /** The address of a proxy, `environment`, or `none`. Default: the program decides. */
  proxy?: string;
  /** Where a file with authorities is that are trusted. Default: none. */
  ca?: string;
  /** Where the certificate of the client is. Default: there is none. */
  cert?: string;
  /** Where its key is. Default: there is none. */
  key?: string;
  /** What the key is encrypted with. Default: it is not. */
  passphrase?: string;
}

/** One server of a configuration. */
export interface ServerConfig {
  /** What the file calls it. */
  name: string;
  /** Where it is written: file and line. */
  place: string;
  /** Its URL, or the command that starts it. */
  target: string | CommandTarget;
  /** The options for its client, with its name, and without middlewares. */
  options: FileOptions & { name?: string; headers?: Readonly<Record<string, string>> };
  /** The middlewares of every request; the first is outermost. */
  middleware: readonly MiddlewareConfig[];
  /** How it is reached; `clientOptionsOf` reads the files. */
  network: NetworkConfig;
  /** Which tools are offered. */
  tools: ToolsConfig;
  /** Whether it is disabled; its variables are not expanded then. */
  disabled: boolean;
  /** The names of the environment variables that it uses. */
  variables: readonly string[];
  /** What the file says, variables not expanded; of another program, as the others write it. */
  written: unknown;
}

/** What a configuration file says. */
export interface Config {
  /** In the order of the file, disabled ones included. */
  servers: ServerConfig[];
  /** Whether the file is another program's. */
  foreign: boolean;
  /** What a file of VS Code asks for by `${input:ID}`. */
  inputs: readonly ConfigInput[];
  /** What in the file has no effect here, in words for a person. */
  remarks: readonly string[];
}
