import { AsyncResource } from 'node:async_hooks';
import type { Tool } from '@modelcontextprotocol/client';
import { reportable } from '../client/sdk-errors.js';
import type { ToolSource } from '../client/types.js';
import type { LongwireError } from '../errors.js';
import type { SelectedTool } from './types.js';

/** What a {@link Listing} is made with. */
export interface ListingOptions {
  source: Pick<ToolSource, 'listTools'>;
  /** Makes the list of the group's out of the source's. */
  select: (tools: readonly Tool[]) => SelectedTool[];
  /** Called when there is a new list. */
  onListed: () => void;
  /** Called when listing failed. */
  onFailed: (error: unknown) => void;
}

/** A list that is being fetched: fulfilled with what went wrong, if anything did. */
interface Fetch {
  startedAt: number;
  done: Promise<LongwireError | undefined>;
}

/**
 * The list of tools of one source. It is fetched once for all that wait for it, without their limits:
 * when one of them times out, the others still get it. It belongs to no call, and is fetched in the
 * async context in which this was made.
 */
export class Listing {
  readonly #options: ListingOptions;
  readonly #scope = new AsyncResource('longwire.listing');
  #tools: readonly SelectedTool[] = [];
  /** When the latest list was asked for. */
  #askedAt = -Infinity;
  #fetch: Fetch | undefined;

  constructor(options: ListingOptions) {
    this.#options = options;
  }

  /** The latest list. */
  get tools(): readonly SelectedTool[] {
    return this.#tools;
  }

  /** Whether there has been a list. */
  get isKnown(): boolean {
    return this.#askedAt > -Infinity;
  }

  /** The tools changed: a fetch that has begun may bring the old list, and is not shared any more. */
  outdate(): void {
    this.#fetch = undefined;
  }

  /** Fetches it, or waits for the one that is under way. */
  fetch(): Fetch {
    if (this.#fetch !== undefined) return this.#fetch;
    const fetch: Fetch = {
      startedAt: performance.now(),
      done: this.#scope
        .runInAsyncScope(() => this.#options.source.listTools())
        .then(
          (tools) => {
            this.#finish(fetch);
            this.#take(tools, fetch.startedAt);
            return undefined;
          },
          (error: unknown) => {
            this.#finish(fetch);
            this.#options.onFailed(error);
            return reportable(error);
          },
        ),
    };
    this.#fetch = fetch;
    return fetch;
  }

  /**
   * Fetches it.
   *
   * @throws LongwireError
   */
  async fetched(): Promise<void> {
    const failure = await this.fetch().done;
    if (failure !== undefined) throw failure;
  }

  #finish(fetch: Fetch): void {
    if (this.#fetch === fetch) this.#fetch = undefined;
  }

  #take(tools: readonly Tool[], askedAt: number): void {
    // A list that was asked for later came first.
    if (askedAt < this.#askedAt) return;
    this.#askedAt = askedAt;
    this.#tools = this.#options.select(tools);
    this.#options.onListed();
  }
}
