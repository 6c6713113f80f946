import type { LongwireError } from '../errors.js';
import type { Call, CallObserver } from './call.js';

/** A call that was given to a client, and may be taken back while it certainly has not run. */
export class GivenCall implements CallObserver {
  /** For messages: `the call of echo`. */
  readonly what: string;
  readonly madeAt: number = performance.now();
  #call: Call | undefined;

  constructor(what: string) {
    this.what = what;
  }

  onBegin(call: Call): void {
    this.#call = call;
  }

  onDeferred(): void {}

  /** Fails it, if it certainly has not run. */
  refuse(error: LongwireError): void {
    this.#call?.withdraw(error);
  }
}
