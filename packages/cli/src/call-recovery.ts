import { LongwireError, type ConnectionState, type LongwireClient } from '@longwire/client';
import { sanitizeLine } from './sanitize.js';

/** Follows the connection during a call, to tell the user afterwards what was lost and resent. */
export class CallRecovery {
  readonly #client: Pick<LongwireClient, 'state'>;
  #losses = 0;
  #reason: LongwireError | undefined;
  /** The connection since it was lost. */
  #connection: 'up' | 'lost' | 'dialled' = 'up';
  #isCalled = false;
  #isSent = false;
  #isResent = false;
  #isResumed = false;

  constructor(client: Pick<LongwireClient, 'state'>) {
    this.#client = client;
  }

  /** The call is made: it is sent at once, or as soon as a session is ready. */
  called(): void {
    this.#isCalled = true;
    this.#isSent = this.#client.state.name === 'ready';
  }

  /** The connection is in another state. */
  follow(state: ConnectionState): void {
    if (state.name === 'reconnecting') {
      if (this.#connection === 'up') {
        this.#losses++;
        this.#reason = state.reason;
      }
      this.#connection = 'lost';
    } else if (state.name === 'connecting') {
      this.#connection = 'dialled';
    } else if (state.name === 'ready' && this.#connection !== 'up') {
      this.#connection = 'up';
      this.#isResumed = state.resumed;
      if (this.#isSent && !state.resumed) this.#isResent = true;
      this.#isSent = this.#isCalled;
    }
  }

  /** The remark after the call has settled, on one line; undefined if nothing was lost. */
  words(error?: unknown): string | undefined {
    if (this.#reason === undefined) return undefined;
    const reason = sanitizeLine(this.#reason.summary);
    const times = this.#losses === 1 ? '' : ` ${this.#losses} times, at last`;
    const lost = `the connection was lost${times} (${reason})`;
    if (this.#connection === 'up') return `${lost} and is back; ${this.#whatWasSent()}`;
    if (error === undefined) {
      // Only a resumed session delivers an answer before anything can be sent. An answer without a
      // new dial came before the loss, which did not affect the call.
      this.#isResumed = true;
      return this.#connection === 'lost'
        ? undefined
        : `${lost} and is back; ${this.#whatWasSent()}`;
    }
    // Every other error itself says that the connection was lost.
    const isLate =
      error instanceof LongwireError && (error.code === 'timeout' || error.code === 'deadline');
    return isLate ? `${lost} and did not come back in time` : undefined;
  }

  #whatWasSent(): string {
    if (this.#isResent) return 'the call was sent again';
    if (!this.#isSent) return 'the call had not been made yet';
    return this.#isResumed
      ? 'its session was resumed, and the call was sent only once'
      : 'the call was sent only once';
  }
}
