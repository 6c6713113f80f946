/// <reference lib="esnext.disposable" preserve="true" />
import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from '@modelcontextprotocol/client';
import type { OnceOptions } from '../client/next-event.js';
import type { ResultWithData } from '../client/result-data.js';
import { createToolHandle, type ToolHandle } from '../client/tool-handle.js';
import type {
  CallTimeouts,
  CallToolOptions,
  CheckedCallOptions,
  OperationOptions,
} from '../client/types.js';
import type { CloseOptions } from '../client/under-way.js';
import type { ConnectionState } from '../connection/state.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { LongwirePool } from './contract.js';
import type { PoolSession } from './session.js';
import type { PoolEvents, PoolStatus } from './types.js';

/** What a program holds: it passes each operation on to the connections of whom it is for. */
export abstract class PoolFacade implements LongwirePool {
  abstract readonly name: string;
  abstract readonly trusted: boolean;
  abstract readonly timeouts: CallTimeouts;
  abstract readonly trustHints: boolean;
  abstract readonly state: ConnectionState;

  /** Runs an operation on the connections that it is for. `what` is being done, for messages. */
  protected abstract run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (session: PoolSession, options: Options) => Promise<T>,
  ): Promise<T>;

  abstract status(): PoolStatus;
  abstract stats(): ClientStats;
  abstract health(options?: HealthOptions): Promise<Health>;
  abstract as(principal: string, credentials?: PrincipalCredentials): LongwirePool;
  abstract on<Event extends keyof PoolEvents>(
    event: Event,
    listener: (payload: PoolEvents[Event]) => void,
  ): () => void;
  abstract once<Event extends keyof PoolEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<PoolEvents[Event]>;
  abstract readonly isClosing: boolean;
  abstract close(options?: CloseOptions): Promise<void>;

  listTools(options: OperationOptions = {}): Promise<Tool[]> {
    return this.run('tools/list', options, (session, own) => session.listTools(own));
  }

  listResources(options: OperationOptions = {}): Promise<Resource[]> {
    return this.run('resources/list', options, (session, own) => session.listResources(own));
  }

  listResourceTemplates(options: OperationOptions = {}): Promise<ResourceTemplateType[]> {
    return this.run('resources/templates/list', options, (session, own) =>
      session.listResourceTemplates(own),
    );
  }

  listPrompts(options: OperationOptions = {}): Promise<Prompt[]> {
    return this.run('prompts/list', options, (session, own) => session.listPrompts(own));
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
    return this.run(`the call of ${name}`, options, (session, own) =>
      session.callTool(name, args, own),
    );
  }

  tool(name: string): ToolHandle {
    return createToolHandle(this, name);
  }

  readResource(uri: string, options: OperationOptions = {}): Promise<ReadResourceResult> {
    return this.run(`reading ${uri}`, options, (session, own) => session.readResource(uri, own));
  }

  getPrompt(
    name: string,
    args: Record<string, string> = {},
    options: OperationOptions = {},
  ): Promise<GetPromptResult> {
    return this.run(`getting the prompt ${name}`, options, (session, own) =>
      session.getPrompt(name, args, own),
    );
  }

  complete(params: CompleteRequestParams, options: OperationOptions = {}): Promise<CompleteResult> {
    return this.run('completing an argument', options, (session, own) =>
      session.complete(params, own),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
