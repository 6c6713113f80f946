import type {
  LoggingLevel,
  OperationOptions,
  Resource,
  ServerNotification,
  ToolSource,
} from '@longwire/client';

/**
 * A server that sends events and whose tools are called: a `LongwireClient`, or an object with the
 * same methods.
 */
export interface Source extends Pick<
  ToolSource,
  'listTools' | 'callTool' | 'task' | 'trustHints' | 'as'
> {
  /** Subscribes to notifications; the returned function unsubscribes. */
  on(event: 'notification', listener: (notification: ServerNotification) => void): () => void;
  /** Needed for triggers on resources. */
  subscribeResource?(uri: string, options?: OperationOptions): Promise<void>;
  /** Needed for triggers on patterns of resources. */
  listResources?(options?: OperationOptions): Promise<Resource[]>;
  /** Needed for triggers on log messages. */
  setLogLevel?(level: LoggingLevel, options?: OperationOptions): Promise<void>;
}
