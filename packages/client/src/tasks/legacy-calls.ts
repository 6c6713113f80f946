import type { RequestContext } from '../connection/request-context.js';
import { pagesOf, type ListBounds } from '../connection/pages.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import type { ToolCatalog } from '../tools/catalog.js';
import { isObject } from '../untrusted/is-object.js';

/** The version of the protocol that brought tasks which clients ask for. */
const WITH_TASKS = '2025-11-25';

/** A call that may be made as a task. */
export interface CallBeforeTask extends Pick<RequestContext, 'idempotent'> {
  /** The program wants to know of its task. */
  readonly wantsTask?: boolean;
  /** Rejected when it ends earlier. */
  before<T>(preparation: Promise<T>): Promise<T>;
}

/** What {@link LegacyTaskCalls} are made with. */
export interface LegacyTaskCallsOptions {
  /** What the tools of the server say of tasks. */
  catalog: ToolCatalog;
  /** Whether the hints of the server may lead to a second run. */
  trustHints: boolean;
  listBounds: ListBounds;
}

/**
 * Says which calls are made as tasks in the era of 2025-11-25, where that is the client's to say: those
 * of tools that want it, and those that would not survive a lost connection otherwise.
 */
export class LegacyTaskCalls {
  readonly #options: LegacyTaskCallsOptions;
  #listing: Promise<void> | undefined;
  /** Tools whose tasks the server cancels by itself. */
  readonly #avoided = new Set<string>();

  constructor(options: LegacyTaskCallsOptions) {
    this.#options = options;
  }

  /** Whether a call of this tool is made as a task. Tools that were never listed are listed first. */
  isTask(
    tool: string,
    call: CallBeforeTask,
    connection: ReconnectingTransport,
  ): boolean | Promise<boolean> {
    if (!makesTasks(connection)) return false;
    if (this.#options.catalog.isListed) return this.#isTask(tool, call);
    this.#listing ??= this.#list(connection).finally(() => (this.#listing = undefined));
    return call.before(this.#listing).then(() => this.#isTask(tool, call));
  }

  /**
   * The server has cancelled a task of this tool, and nobody here wanted that: mcp-go does so as soon as
   * the request that made it is answered. Where it is optional, no more are made.
   *
   * @see https://github.com/mark3labs/mcp-go/issues/897
   */
  avoid(tool: string): void {
    this.#avoided.add(tool);
  }

  #isTask(tool: string, { wantsTask, idempotent }: CallBeforeTask): boolean {
    const { catalog, trustHints } = this.#options;
    const support = catalog.taskSupport(tool);
    if (support !== 'optional') return support === 'required';
    const mayRunTwice = idempotent === true || (trustHints && catalog.isSafe(tool));
    return wantsTask === true || (!mayRunTwice && !this.#avoided.has(tool));
  }

  /** The catalog reads what passes. Without a list, calls are made as they would be without tasks. */
  async #list(connection: ReconnectingTransport): Promise<void> {
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
