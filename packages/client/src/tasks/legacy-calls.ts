import { INVALID_REQUEST, METHOD_NOT_FOUND, type Result } from '@modelcontextprotocol/client';
import type { RequestContext } from '../connection/request-context.js';
import { pagesOf, type ListBounds } from '../connection/pages.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { LongwireError, ServerError } from '../errors.js';
import type { ToolCatalog } from '../tools/catalog.js';
import { isObject } from '../untrusted/is-object.js';

/** By these a server says that a call has to be a task: that of the specification, and that of others. */
const REFUSALS: ReadonlySet<number> = new Set([METHOD_NOT_FOUND, INVALID_REQUEST]);

/** What a call says. */
// An interface would have no index signature.
export type CallParams = { name: string; arguments: Record<string, unknown> };

/** The version of the protocol that brought tasks which clients ask for. */
const WITH_TASKS = '2025-11-25';

/** A call that may be made as a task. */
export interface CallBeforeTask extends RequestContext {
  /** The program wants to know of its task. */
  readonly wantsTask?: boolean;
  /** Rejected when it ends earlier. */
  before<T>(preparation: Promise<T>): Promise<T>;
}

/** What {@link LegacyTaskCalls} are made with. */
export interface LegacyTaskCallsOptions {
  /** What the tools of the server say of tasks. */
  catalog: ToolCatalog;
  listBounds: ListBounds;
}

/**
 * Makes the calls that are tasks in the era of 2025-11-25, where that is the client's to say: those of
 * tools that want it, and those of which the program wants the task, where the tool takes that.
 */
export class LegacyTaskCalls {
  readonly #options: LegacyTaskCallsOptions;
  #listing: Promise<void> | undefined;
  /** The server cancels tasks by itself. */
  #cancelsTasks = false;

  constructor(options: LegacyTaskCallsOptions) {
    this.#options = options;
  }

  /**
   * Calls a tool, as a task if that is how it is to be called. Tools that were never listed are listed
   * first.
   *
   * @throws LongwireError
   */
  call(
    connection: ReconnectingTransport,
    params: CallParams,
    call: CallBeforeTask,
  ): Promise<Result> {
    return makesTasks(connection)
      ? this.#callThere(connection, params, call)
      : connection.request({ method: 'tools/call', params }, call);
  }

  async #callThere(
    connection: ReconnectingTransport,
    params: CallParams,
    call: CallBeforeTask,
  ): Promise<Result> {
    const { catalog } = this.#options;
    const { name } = params;
    const asTask = { method: 'tools/call', params: { ...params, task: {} } };
    if (!catalog.isListed) await this.#list(connection, call);
    if (!this.#isTask(name, call)) {
      try {
        return await connection.request({ method: 'tools/call', params }, call);
      } catch (error) {
        const isRefused = error instanceof ServerError && REFUSALS.has(error.number);
        if (!isRefused || call.abandoned !== undefined) throw error;
        // It may have become a tool that wants tasks since it was listed, and then did not run.
        await this.#list(connection, call);
        if (catalog.taskSupport(name) !== 'required') throw error;
      }
    }
    try {
      return await connection.request(asTask, call);
    } catch (error) {
      // mcp-go does so as soon as the request that made the task is answered.
      // https://github.com/mark3labs/mcp-go/issues/897
      const isCancelled = error instanceof LongwireError && error.code === 'aborted';
      if (!isCancelled || call.abandoned !== undefined) throw error;
      this.#cancelsTasks = true;
      throw catalog.taskSupport(name) === 'optional' ? cancelledByItself(error) : error;
    }
  }

  #isTask(tool: string, { wantsTask }: CallBeforeTask): boolean {
    const support = this.#options.catalog.taskSupport(tool);
    if (support !== 'optional') return support === 'required';
    return wantsTask === true && !this.#cancelsTasks;
  }

  /** Many calls may wait for the one list. */
  #list(connection: ReconnectingTransport, call: CallBeforeTask): Promise<void> {
    this.#listing ??= this.#read(connection).finally(() => (this.#listing = undefined));
    return call.before(this.#listing);
  }

  /** The catalog reads what passes. Without a list, calls are made as they would be without tasks. */
  async #read(connection: ReconnectingTransport): Promise<void> {
    const method = 'tools/list';
    try {
      const pages = pagesOf({
        method,
        key: 'tools',
        bounds: this.#options.listBounds,
        ask: (params) => connection.request({ method, params }, { certainty: 'not-sent' }),
        onIncomplete: () => {},
      });
      for await (const _page of pages);
    } catch {
      // The call says what is wrong with the server.
    }
  }
}

/** Whether the server announces tasks of calls, in a version that has them. */
function makesTasks({ era, server }: ReconnectingTransport): boolean {
  if (era !== 'legacy' || server === undefined || server.protocolVersion < WITH_TASKS) return false;
  let announced: unknown = server.capabilities;
  for (const name of ['tasks', 'requests', 'tools', 'call']) {
    announced = isObject(announced) ? announced[name] : undefined;
  }
  return isObject(announced);
}

/** The server has cancelled a task that need not have been one, and nobody here wanted that. */
function cancelledByItself(cause: LongwireError): LongwireError {
  const { summary, code, certainty, taskId } = cause;
  const hint = 'this client makes no more tasks there of calls that need not be tasks';
  return new LongwireError(summary, { code, certainty, taskId, hint, cause });
}
