import type { Result } from '@modelcontextprotocol/client';
import { ToolCatalog } from '../tools/catalog.js';
import type { LedgerRequest } from './ledger.js';
import { DEFAULT_LIST_BOUNDS, pagesOf, type ListBounds } from './pages.js';

/** What a server lists, and may tell the changes of. */
export type ListName = 'tools' | 'prompts' | 'resources';

/** What is needed to restore the state of a session. */
export interface RestoreOptions {
  /** Makes a request on the session. */
  ask: (request: LedgerRequest) => Promise<Result>;
  /** Whether the session is still the current one. */
  isCurrent: () => boolean;
  /** Called when the list of tools has changed. */
  onToolsChanged: () => void;
  /** Called with the error of what could not be restored. */
  onFailure: (error: Error) => void;
}

/**
 * The state of a session that a new session must be asked for again: subscriptions, the log level,
 * the list of tools. It comes from the requests that were answered.
 */
export class RestorableState {
  /** The tools that were listed, here or on another connection. */
  readonly tools: ToolCatalog;
  readonly #bounds: ListBounds;
  #isListedHere = false;
  #isWatched = false;
  readonly #subscriptions = new Map<unknown, LedgerRequest>();
  #logLevel: LedgerRequest | undefined;
  #isRestored = true;

  constructor(tools: ToolCatalog = new ToolCatalog(), bounds: ListBounds = DEFAULT_LIST_BOUNDS) {
    this.tools = tools;
    this.#bounds = bounds;
  }

  /** Learns from the result of a request. */
  learn(request: LedgerRequest, result: Result): void {
    const { method, params } = request;
    switch (method) {
      case 'resources/subscribe':
        this.#subscriptions.set(params?.['uri'], withoutMeta(request));
        break;
      case 'resources/unsubscribe':
        this.#subscriptions.delete(params?.['uri']);
        break;
      case 'logging/setLevel':
        this.#logLevel = withoutMeta(request);
        break;
      case 'tools/list':
        this.#isListedHere = true;
        this.tools.learn(params?.['cursor'], result);
        break;
    }
  }

  /** The resources that the program has subscribed to. */
  get subscribed(): string[] {
    return [...this.#subscriptions.keys()] as string[];
  }

  /** The log level that the program has set, if it has. */
  get logLevel(): unknown {
    return this.#logLevel?.params?.['level'];
  }

  /** Whether the latest session has answered all that it was asked again. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The program wants to know of changes also if the tools were listed on another connection. */
  watchTools(): void {
    this.#isWatched = true;
  }

  /** Asks for everything again. If the session is lost meanwhile, the next one is asked. */
  restore(options: RestoreOptions): void {
    const again = [...this.#subscriptions.values()];
    if (this.#logLevel !== undefined) again.push(this.#logLevel);
    this.#askAgain(options, again);
  }

  /** Asks again only for what may have changed: the list of tools. */
  refresh(options: RestoreOptions): void {
    this.#askAgain(options, []);
  }

  #askAgain(options: RestoreOptions, again: LedgerRequest[]): void {
    const asked: Promise<unknown>[] = again.map((request) => options.ask(request));
    const isListed = this.#isListedHere || (this.#isWatched && this.tools.isListed);
    if (isListed) asked.push(this.#listAgain(options));
    this.#isRestored = asked.length === 0;
    void Promise.allSettled(asked).then((outcomes) => {
      if (!options.isCurrent()) return;
      this.#isRestored = true;
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') options.onFailure(outcome.reason as Error);
      }
    });
  }

  async #listAgain({ ask, isCurrent, onToolsChanged }: RestoreOptions): Promise<void> {
    const tools = await listTools(ask, this.#bounds);
    if (isCurrent() && this.tools.replace(tools)) onToolsChanged();
  }
}

async function listTools(ask: RestoreOptions['ask'], bounds: ListBounds): Promise<ToolCatalog> {
  const tools = new ToolCatalog();
  const method = 'tools/list';
  const pages = pagesOf({
    method,
    key: 'tools',
    ask: (params) => ask({ method, params }),
    bounds,
    // Reported when the program lists them.
    onIncomplete: () => {},
  });
  for await (const { cursor, result } of pages) tools.learn(cursor, result);
  return tools;
}

/** A progress token and a context belong to one request. */
function withoutMeta({ method, params }: LedgerRequest): LedgerRequest {
  const { _meta: _, ...rest } = params ?? {};
  return { method, params: { ...rest } };
}
