/// <reference lib="esnext.disposable" preserve="true" />
import type {
  CallToolResult,
  Client,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Implementation,
  LoggingLevel,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  ServerCapabilities,
  Tool,
} from '@modelcontextprotocol/client';
import type { ConnectionState } from '../connection/state.js';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { LongwireClient } from './contract.js';
import { checkOperationOptions } from './options.js';
import { ofSamePrincipal, type PrincipalRecord, type Principals } from './principals.js';
import { createToolHandle, type ToolHandle } from './tool-handle.js';
import {
  streamTool,
  type LogTap,
  type ToolStreamEvent,
  type ToolStreamOptions,
} from './tool-stream.js';
import type { CallTimeouts, CallToolOptions, ClientEvents, OperationOptions } from './types.js';

/** The client of a principal's session. */
export interface SessionClient extends LongwireClient {
  /** Passes the server's log messages on. */
  readonly logs: Pick<LogTap, 'open'>;
}

/**
 * A client as one of its principals: see `client.as`. It holds nothing but who that is: whatever a
 * server gives to the principal is in the client of its session.
 */
export class PrincipalClient implements LongwireClient {
  readonly #service: LongwireClient;
  readonly #principals: Principals<SessionClient>;
  #latest: PrincipalRecord<SessionClient>;

  constructor(
    service: LongwireClient,
    principals: Principals<SessionClient>,
    record: PrincipalRecord<SessionClient>,
  ) {
    this.#service = service;
    this.#principals = principals;
    this.#latest = record;
  }

  get sdk(): Client {
    return this.#principals.sessionOf(this.#record).sdk;
  }

  get name(): string {
    return this.#client?.name ?? this.#service.name;
  }

  get trusted(): boolean {
    return this.#service.trusted;
  }

  get timeouts(): CallTimeouts {
    return this.#service.timeouts;
  }

  get trustHints(): boolean {
    return this.#service.trustHints;
  }

  get state(): ConnectionState {
    return this.#client?.state ?? { name: 'idle' };
  }

  get server(): Implementation | undefined {
    return this.#client?.server;
  }

  get capabilities(): ServerCapabilities | undefined {
    return this.#client?.capabilities;
  }

  get protocolVersion(): string | undefined {
    return this.#client?.protocolVersion;
  }

  get instructions(): string | undefined {
    return this.#client?.instructions;
  }

  stats(): ClientStats {
    return this.#client?.stats() ?? new Tally(new TrafficCounts()).read(0);
  }

  async health(options: HealthOptions = {}): Promise<Health> {
    checkHealthOptions(options);
    const client = this.#client;
    if (client !== undefined) return client.health(options);
    const reason = 'the principal has no session now; its next call opens one';
    return { status: 'down', reason, latencyMs: undefined, uptimeMs: 0 };
  }

  as(principal: string, credentials?: PrincipalCredentials): LongwireClient {
    ofSamePrincipal(this.#latest.id, principal);
    return this.#service.as(principal, credentials);
  }

  connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    return this.#run('connecting', limits, (client) => client.connect(options));
  }

  listTools(options: OperationOptions = {}): Promise<Tool[]> {
    return this.#run('tools/list', options, (client, own) => client.listTools(own));
  }

  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    return this.#run('resources/list', options, (client, own) => client.listResources(own));
  }

  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#run('resources/templates/list', options, (client, own) =>
      client.listResourceTemplates(own),
    );
  }

  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    return this.#run('prompts/list', options, (client, own) => client.listPrompts(own));
  }

  callTool(
    name: string,
    args: object = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    return this.#run(`the call of ${name}`, options, (client, own) =>
      client.callTool(name, args, own),
    );
  }

  stream(
    tool: string,
    args: object = {},
    options: ToolStreamOptions = {},
  ): AsyncGenerator<ToolStreamEvent, void, undefined> {
    const call = (own: CallToolOptions): Promise<CallToolResult> => this.callTool(tool, args, own);
    const logs: SessionClient['logs'] = {
      open: (take) => this.#listen((client) => client.logs.open(take)),
    };
    return streamTool({ call, logs }, options);
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.#run(`reading ${uri}`, options, (client, own) => client.readResource(uri, own));
  }

  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    return this.#run(`getting the prompt ${name}`, options, (client, own) =>
      client.getPrompt(name, args, own),
    );
  }

  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.#run('completing an argument', options, (client, own) =>
      client.complete(params, own),
    );
  }

  subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.#run(`subscribing to ${uri}`, options, async (client, own) => {
      await client.subscribeResource(uri, own);
      this.#principals.subscribed(this.#record, uri);
    });
  }

  unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    return this.#run(`unsubscribing from ${uri}`, options, async (client, own) => {
      await client.unsubscribeResource(uri, own);
      this.#principals.unsubscribed(this.#record, uri);
    });
  }

  setLogLevel(level: LoggingLevel, options: OperationOptions = {}): Promise<void> {
    return this.#run('setting the log level', options, (client, own) =>
      client.setLogLevel(level, own),
    );
  }

  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    return this.#listen((client) => client.on(event, listener));
  }

  close(): Promise<void> {
    return this.#principals.close(this.#record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #record(): PrincipalRecord<SessionClient> {
    this.#latest = this.#principals.latest(this.#latest);
    return this.#latest;
  }

  get #client(): SessionClient | undefined {
    return this.#record.session;
  }

  /** As long as somebody listens, the principal is not idle. */
  #listen(listen: (client: SessionClient) => () => void): () => void {
    const record = this.#record;
    const release = this.#principals.hold(record);
    const stop = listen(this.#principals.sessionOf(record));
    return () => {
      stop();
      release();
    };
  }

  async #run<Options extends OperationOptions, T>(
    what: string,
    given: Options,
    run: (client: SessionClient, options: Options) => Promise<T>,
  ): Promise<T> {
    const { principal, ...options } = given;
    if (principal !== undefined) {
      const { id, ...credentials } = principal;
      this.as(id, credentials);
    }
    checkOperationOptions(options as OperationOptions);
    return this.#principals.run(this.#record, { what, options: options as Options }, run);
  }
}
