import type { JSONRPCMessage, JSONRPCNotification, RequestId } from '@modelcontextprotocol/client';
import { isAnswer } from '../channels/message.js';
import type { LongwireError } from '../errors.js';
import type { Ledger } from './ledger.js';
import type { ServerRequests } from './server-requests.js';
import { progressFor, progressOf } from './wire.js';

/** Who takes what the server says. */
export interface InboundOptions {
  ledger: Ledger;
  serverRequests: ServerRequests;
  /** Takes what is for the program. */
  deliver: (message: JSONRPCMessage) => void;
  /** Takes what is for nobody, and wrong. */
  report: (error: LongwireError) => void;
}

/** Hands everything that comes from the server to whom it belongs. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  take(message: JSONRPCMessage): void {
    const { ledger, serverRequests, deliver } = this.#options;
    if (isAnswer(message)) {
      ledger.answered(message)?.waiter.answered(message);
    } else if ('id' in message) {
      deliver(serverRequests.enter(message));
    } else if (message.method === 'notifications/progress') {
      this.#takeProgress(message);
    } else if (message.method === 'notifications/cancelled') {
      const cancellation = serverRequests.cancelled(message);
      if (cancellation !== undefined) deliver(cancellation);
    } else {
      deliver(message);
    }
  }

  /** What was meant as an answer settles its request: nothing better will come. */
  takeTrouble(error: LongwireError, answerTo: RequestId | undefined): void {
    const entry = this.#options.ledger.remove(answerTo);
    if (entry === undefined) this.#options.report(error);
    else entry.waiter.failed(error);
  }

  /**
   * Progress goes to its call directly: on the SDK's own way it is handled later than the answer
   * that came right behind it, and lost.
   */
  #takeProgress(message: JSONRPCNotification): void {
    const entry = this.#options.ledger.find(message.params?.['progressToken']);
    if (entry === undefined) return;
    if (entry.mark.onProgress === undefined) {
      const forProgram = progressFor(entry, message);
      if (forProgram !== undefined) this.#options.deliver(forProgram);
    } else {
      const progress = progressOf(message);
      if (progress !== undefined) entry.mark.onProgress(progress);
    }
  }
}
