import type { Result } from '@modelcontextprotocol/client';
import { KnownTools } from './known-tools.js';
import type { LedgerRequest } from './ledger.js';
import { DEFAULT_LIST_BOUNDS, pagesOf, type ListBounds } from './pages.js';

/** Who asks the server, and who is told. */
export interface RestoreOptions {
  /** Makes a request on the session. */
  ask: (request: LedgerRequest) => Promise<Result>;
  /** Whether the session is still the one to be restored. */
  isCurrent: () => boolean;
  /** The list of tools is another now. */
  onToolsChanged: () => void;
  /** Told of what could not be restored. */
  onFailure: (error: Error) => void;
}

/**
 * What the program has asked for that stands until a session ends, and must be asked for again on
 * the next: subscriptions, the log level, the list of tools. It learns from the requests that
 * were answered.
 */
export class Standing {
  /** What was listed of tools, here or on another connection. */
  readonly tools: KnownTools;
  readonly #bounds: ListBounds;
  #isListedHere = false;
  #isWatched = false;
  readonly #subscriptions = new Map<unknown, LedgerRequest>();
  #logLevel: LedgerRequest | undefined;
  #isRestored = true;

  constructor(tools: KnownTools = new KnownTools(), bounds: ListBounds = DEFAULT_LIST_BOUNDS) {
    this.tools = tools;
    this.#bounds = bounds;
  }

  /** Learns from a request that was answered with a result. */
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

  /** The resources whose changes the program wants to know of. */
  get subscribed(): string[] {
    return [...this.#subscriptions.keys()] as string[];
  }

  /** From which level on the program wants log messages; `undefined` if it never said. */
  get logLevel(): unknown {
    return this.#logLevel?.params?.['level'];
  }

  /** Whether the latest session has been asked for all of it, and has answered. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The program wants to know when the tools are others than those that were listed elsewhere, too. */
  watchTools(): void {
    this.#isWatched = true;
  }

  /** Asks for all of it again, at once. What is lost with the session is asked for on the next. */
  restore(options: RestoreOptions): void {
    const again = [...this.#subscriptions.values()];
    if (this.#logLevel !== undefined) again.push(this.#logLevel);
    this.#askAgain(options, again);
  }

  /** Asks again for what may have changed unheard: the list of tools. */
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

async function listTools(ask: RestoreOptions['ask'], bounds: ListBounds): Promise<KnownTools> {
  const tools = new KnownTools();
  const method = 'tools/list';
  const pages = pagesOf({
    method,
    key: 'tools',
    ask: (params) => ask({ method, params }),
    bounds,
    // Whoever lists them for the program tells it.
    onIncomplete: () => {},
  });
  for await (const { cursor, result } of pages) tools.learn(cursor, result);
  return tools;
}

/** A progress token or a mark was for the one time that it was asked. */
function withoutMeta({ method, params }: LedgerRequest): LedgerRequest {
  const { _meta: _, ...rest } = params ?? {};
  return { method, params: { ...rest } };
}
