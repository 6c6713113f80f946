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
import type { LongwireClient } from './contract.js';
import type { ResultWithData } from './result-data.js';
import type { PrincipalOption } from '../options/principal-options.js';
import { checkTaskId, passOnTask } from './task-handle.js';
import { createToolHandle, type ToolHandle } from './tool-handle.js';
import type { CallToolOptions, CheckedCallOptions, OperationOptions, TaskHandle } from './types.js';

/** What one session can be asked, of a client and of a pool. */
export type SessionOperations = Pick<
  LongwireClient,
  | 'listTools'
  | 'listResources'
  | 'listResourceTemplates'
  | 'listPrompts'
  | 'callTool'
  | 'task'
  | 'readResource'
  | 'getPrompt'
  | 'complete'
>;

/** What a program holds: it passes each operation on to the session that it is for. */
export abstract class OperationsFacade<Session extends SessionOperations> {
  /** Runs an operation on the session that it is for. `what` is being done, for messages. */
  protected abstract run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (session: Session, options: Options) => Promise<T>,
  ): Promise<T>;

  abstract readonly name: string;
  abstract close(): Promise<void>;

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
    const { onTask, principal } = options;
    // A session may have ended when the program uses the handle.
    const passed =
      onTask === undefined
        ? options
        : { ...options, onTask: ({ taskId }: TaskHandle) => onTask(this.#task(taskId, principal)) };
    return this.run(`the call of ${name}`, passed, (session, own) =>
      session.callTool(name, args, own),
    );
  }

  task(taskId: string): TaskHandle {
    checkTaskId(taskId);
    return this.#task(taskId);
  }

  #task(taskId: string, principal?: PrincipalOption): TaskHandle {
    return passOnTask({
      taskId,
      server: () => this.name,
      within: (what, options, run) => {
        const own = principal === undefined ? options : { principal, ...options };
        return this.run(what, own, (session, passed) => run(session.task(taskId), passed));
      },
    });
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
