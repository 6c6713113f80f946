import { AsyncResource } from 'node:async_hooks';
import type { Tool } from '@modelcontextprotocol/client';
import { reportable } from '../client/sdk-errors.js';
import type { ToolSource } from '../client/types.js';
import type { LongwireError } from '../errors.js';
import type { SelectedTool } from './types.js';

/** What fetching a list of tools needs, and who is told. */
export interface ListingOptions {
  source: ToolSource;
  /** What is made of the list that the source gives. */
  select: (tools: readonly Tool[]) => SelectedTool[];
  /** Told that there is a new list. */
  onListed: () => void;
  /** Told that there is none, and why. */
  onFailed: (error: unknown) => void;
}

/** A list that is being fetched: fulfilled with what went wrong, if anything did. */
interface Fetch {
  startedAt: number;
  done: Promise<LongwireError | undefined>;
}

/**
 * The list of tools of one source. It is fetched once for all that wait for it, and without their
 * limits: that one of them has no more time takes nothing from the others. It belongs to none of
 * them either, and is fetched in the async context in which this was made.
 */
export class Listing {
  readonly #options: ListingOptions;
  readonly #scope = new AsyncResource('longwire.listing');
  #tools: readonly SelectedTool[] = [];
  /** When it was asked for. */
  #askedAt = -Infinity;
  #fetch: Fetch | undefined;

  constructor(options: ListingOptions) {
    this.#options = options;
  }

  /** As it was the last time. */
  get tools(): readonly SelectedTool[] {
    return this.#tools;
  }

  /** Whether there ever was one. */
  get isKnown(): boolean {
    return this.#askedAt > -Infinity;
  }

  /** What is under way may be of before: whoever asks from now on wants a newer one. */
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

  #finish(fetch: Fetch): void {
    if (this.#fetch === fetch) this.#fetch = undefined;
  }

  #take(tools: readonly Tool[], askedAt: number): void {
    // One that was asked for later has come before.
    if (askedAt < this.#askedAt) return;
    this.#askedAt = askedAt;
    this.#tools = this.#options.select(tools);
    this.#options.onListed();
  }
}
