import { reportable } from '../client/sdk-errors.js';
import type { ConnectionState } from '../connection/state.js';
import type { LongwireError } from '../errors.js';
import type { ServerStatus } from './types.js';

/** What a group remembers of a server: its state, its failures and successes. */
export class ServerRecord {
  #state: ConnectionState['name'];
  #since = Date.now();
  #timesReady = 0;
  #lastError: ServerStatus['lastError'];
  #lastSuccessAt: number | undefined;

  constructor(state: ConnectionState['name']) {
    this.#state = state;
  }

  get state(): ConnectionState['name'] {
    return this.#state;
  }

  /** Its connection is in a state, maybe the same one with a new attempt or reason. */
  entered(state: ConnectionState, at: number): void {
    const { name } = state;
    if ('reason' in state && state.reason !== undefined) this.failed(state.reason, at);
    if (name === this.#state) return;
    this.#state = name;
    this.#since = at;
    if (name === 'ready') this.#timesReady += 1;
  }

  succeeded(): void {
    this.#lastSuccessAt = Date.now();
  }

  /** Records a failure, unless the program itself caused it. */
  failed(error: unknown, at: number = Date.now()): LongwireError | undefined {
    const failure = reportable(error);
    const { code, summary } = failure;
    if (code === 'aborted' || code === 'closed') return undefined;
    this.#lastError = { at, code, summary };
    return failure;
  }

  report(): Pick<ServerStatus, 'state' | 'since' | 'reconnects' | 'lastError' | 'lastSuccessAt'> {
    return {
      state: this.#state,
      since: this.#since,
      reconnects: Math.max(0, this.#timesReady - 1),
      lastError: this.#lastError,
      lastSuccessAt: this.#lastSuccessAt,
    };
  }
}
