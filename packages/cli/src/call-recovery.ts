import { LongwireError, type ConnectionState, type LongwireClient } from '@longwire/client';
import { sanitizeLine } from './sanitize.js';

/** How a call went through the losses of its connection: what to tell the person afterwards. */
export class CallRecovery {
  readonly #client: Pick<LongwireClient, 'state'>;
  #losses = 0;
  #reason: LongwireError | undefined;
  /** Where the connection is since it was lost. */
  #line: 'up' | 'lost' | 'dialled' = 'up';
  #isCalled = false;
  #isSent = false;
  #isSentAgain = false;
  #isResumed = false;

  constructor(client: Pick<LongwireClient, 'state'>) {
    this.#client = client;
  }

  /** The call is made now: it goes out at once, or as soon as there is a session. */
  called(): void {
    this.#isCalled = true;
    this.#isSent = this.#client.state.name === 'ready';
  }

  /** The connection is in another state. */
  follow(state: ConnectionState): void {
    if (state.name === 'reconnecting') {
      if (this.#line === 'up') {
        this.#losses++;
        this.#reason = state.reason;
      }
      this.#line = 'lost';
    } else if (state.name === 'connecting') {
      this.#line = 'dialled';
    } else if (state.name === 'ready' && this.#line !== 'up') {
      this.#line = 'up';
      this.#isResumed = state.resumed;
      if (this.#isSent && !state.resumed) this.#isSentAgain = true;
      this.#isSent = this.#isCalled;
    }
  }

  /** What is to be said once the call has settled, on one line; nothing where nothing was lost. */
  words(error?: unknown): string | undefined {
    if (this.#reason === undefined) return undefined;
    const reason = sanitizeLine(this.#reason.summary);
    const times = this.#losses === 1 ? '' : ` ${this.#losses} times, at last`;
    const lost = `the connection was lost${times} (${reason})`;
    if (this.#line === 'up') return `${lost} and is back; ${this.#whatWasSent()}`;
    if (error === undefined) {
      // Only a session that goes on gives an answer before anything can be sent. An answer without
      // a dial came before the loss, which did the call no harm.
      this.#isResumed = true;
      return this.#line === 'lost' ? undefined : `${lost} and is back; ${this.#whatWasSent()}`;
    }
    // Every other error says itself that the connection was lost.
    const isLate =
      error instanceof LongwireError && (error.code === 'timeout' || error.code === 'deadline');
    return isLate ? `${lost} and did not come back in time` : undefined;
  }

  #whatWasSent(): string {
    if (this.#isSentAgain) return 'the call was sent again';
    if (!this.#isSent) return 'the call had not been made yet';
    return this.#isResumed
      ? 'its session went on, and the call was sent only once'
      : 'the call was sent only once';
  }
}
