import type {
  CallToolResult,
  Client,
  Implementation,
  LoggingLevel,
  ServerCapabilities,
} from '@modelcontextprotocol/client';
import type { ConnectionState } from '../connection/state.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { LongwireClient } from './contract.js';
import type { OnceOptions } from './next-event.js';
import { OperationsFacade } from './operations-facade.js';
import type { ResultWithData } from './result-data.js';
import {
  streamTool,
  type LogTap,
  type ToolStreamEvent,
  type ToolStreamOptions,
} from './tool-stream.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  OperationOptions,
} from './types.js';
import type { CloseOptions, UnderWay } from './under-way.js';

/** A client of one session. */
export type SessionClient = Omit<LongwireClient, 'as'> & {
  readonly logs: LogTap;
  readonly underWay: UnderWay;
};

/** What a program holds: it passes each operation on to the client of the session that it is for. */
export abstract class ClientFacade
  extends OperationsFacade<SessionClient>
  implements LongwireClient
{
  abstract readonly sdk: Client;
  abstract override readonly name: string;
  abstract readonly trusted: boolean;
  abstract readonly timeouts: CallTimeouts;
  abstract readonly trustHints: boolean;

  /** The client of its session, if there is one now. */
  protected abstract get current(): SessionClient | undefined;

  /** The log messages of the session that a call with these options is for. */
  protected abstract logsFor(options: OperationOptions): Pick<LogTap, 'open'>;

  abstract stats(): ClientStats;
  abstract health(options?: HealthOptions): Promise<Health>;
  abstract as(principal: string, credentials?: PrincipalCredentials): LongwireClient;
  abstract on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void;
  abstract once<Event extends keyof ClientEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<ClientEvents[Event]>;
  abstract readonly isClosing: boolean;
  abstract override close(options?: CloseOptions): Promise<void>;

  get state(): ConnectionState {
    return this.current?.state ?? { name: 'idle' };
  }

  get server(): Implementation | undefined {
    return this.current?.server;
  }

  get capabilities(): ServerCapabilities | undefined {
    return this.current?.capabilities;
  }

  get protocolVersion(): string | undefined {
    return this.current?.protocolVersion;
  }

  get instructions(): string | undefined {
    return this.current?.instructions;
  }

  connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    return this.run('connecting', limits, (client) => client.connect(options));
  }

  stream<Data>(
    name: string,
    args: object | undefined,
    options: ToolStreamOptions & CheckedCallOptions<Data>,
  ): AsyncGenerator<ToolStreamEvent<ResultWithData<Data>>, void, undefined>;
  stream(
    name: string,
    args?: object,
    options?: ToolStreamOptions,
  ): AsyncGenerator<ToolStreamEvent, void, undefined>;
  stream(
    name: string,
    args: object = {},
    options: ToolStreamOptions = {},
  ): AsyncGenerator<ToolStreamEvent, void, undefined> {
    const call = (own: CallToolOptions): Promise<CallToolResult> => this.callTool(name, args, own);
    return streamTool({ call, logs: this.logsFor(options) }, options);
  }

  subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.run(`subscribing to ${uri}`, options, (client, own) =>
      client.subscribeResource(uri, own),
    );
  }

  unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.run(`unsubscribing from ${uri}`, options, (client, own) =>
      client.unsubscribeResource(uri, own),
    );
  }

  setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    return this.run('setting the log level', options, (client, own) =>
      client.setLogLevel(level, own),
    );
  }
}
