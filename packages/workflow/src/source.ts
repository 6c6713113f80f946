import type {
  CallToolOptions,
  CallToolResult,
  LoggingLevel,
  OperationOptions,
  Resource,
  ServerNotification,
  Tool,
} from '@longwire/client';

/**
 * A server that events come from and whose tools are called: a `LongwireClient`, or whatever does
 * the same.
 */
export interface Source {
  /** All tools, as the server sent them. */
  listTools(options?: OperationOptions): Promise<Tool[]>;
  /** Calls a tool; fails with a LongwireError, whose certainty decides what may be repeated. */
  callTool(
    name: string,
    args?: Record<string, unknown>,
    options?: CallToolOptions,
  ): Promise<CallToolResult>;
  /** Listens; the function returned stops listening. */
  on(event: 'notification', listener: (notification: ServerNotification) => void): () => void;
  /** Needed for triggers on resources. */
  subscribeResource?(uri: string, options?: OperationOptions): Promise<void>;
  /** Needed for triggers on patterns of resources. */
  listResources?(options?: OperationOptions): Promise<Resource[]>;
  /** Needed for triggers on log messages. */
  setLogLevel?(level: LoggingLevel, options?: OperationOptions): Promise<void>;
}
