import type { AsyncResource } from 'node:async_hooks';
import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import { isAnswer, ourId } from '../channels/message.js';
import type { LongwireError } from '../errors.js';
import { describe, serverError, sessionGone } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Link } from './link.js';
import type { ServerRequests } from './server-requests.js';
import { isSameRefusal, type SessionCheck } from './session-check.js';
import { progressFor, progressOf, subscriptionOf, underProgramId } from './wire.js';

/** Who takes what the server says. */
export interface InboundOptions {
  ledger: Ledger;
  serverRequests: ServerRequests;
  /** Told of every request that was answered. */
  onAnswer: (entry: LedgerEntry, answer: JSONRPCResponse) => void;
  /** Takes what is for the program, and the context of the call that it belongs to, if it does. */
  deliver: (message: JSONRPCMessage, scope?: AsyncResource) => void;
  /** Answers a request of the server that is one too many. */
  refuse: (request: JSONRPCRequest) => void;
  /** Takes what is for nobody, and wrong. */
  report: (error: LongwireError) => void;
  /** The link that requests go out on now. */
  link: () => Link | undefined;
  /** Asks the session whether it is gone. */
  check: SessionCheck;
  /** Takes a request that an error has kept from running. */
  returned: (entry: LedgerEntry, error: LongwireError, link: Link) => void;
}

/** Hands everything that comes from the server to whom it belongs. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** `requestId` names the request on whose own stream the message came. */
  take(message: JSONRPCMessage, requestId?: RequestId): void {
    const { ledger, serverRequests, onAnswer, deliver, refuse } = this.#options;
    if (isAnswer(message)) {
      if ('error' in message && this.#isHeld(message)) return;
      const entry = ledger.answered(message);
      if (entry === undefined) return;
      onAnswer(entry, message);
      entry.waiter.answered(message);
    } else if ('id' in message && serverRequests.isFull) {
      refuse(message);
    } else if ('id' in message) {
      const scope = requestId === undefined ? undefined : ledger.find(requestId)?.mark.scope;
      deliver(serverRequests.enter(message), scope);
    } else if (message.method === 'notifications/progress') {
      this.#takeProgress(message);
    } else if (message.method === 'notifications/cancelled') {
      const cancellation = serverRequests.cancelled(message);
      if (cancellation !== undefined) deliver(cancellation);
    } else {
      this.#takeNotification(message);
    }
  }

  /**
   * An error that may be about the session is held until that has been asked. If what refuses the
   * request refuses a ping in the same words, the request did not run.
   */
  #isHeld(answer: JSONRPCErrorResponse): boolean {
    const { ledger, check, returned } = this.#options;
    const link = this.#options.link();
    const entry = ledger.find(answer.id);
    if (link === undefined || entry?.handedOver !== true || entry.doubts > 0) return false;
    if (!check.mayMeanGone(answer, entry, link)) return false;
    ledger.hold(entry, 'answered');
    void check.of(link).then((verdict) => {
      if (verdict.is === 'gone') link.abandon(verdict.reason, 'gone');
      if (ledger.find(answer.id) !== entry) return;
      if (verdict.is === 'gone' && isSameRefusal(answer.error, verdict.reason)) {
        ledger.letGo(entry);
        const error = serverError(describe(entry.request), answer.error);
        returned(entry, sessionGone(error, 'refused'), link);
      } else {
        this.take(answer);
        ledger.letGo(entry);
      }
    });
    return true;
  }

  /** What comes on a subscription names it; whoever opened it is told when it is open. */
  #takeNotification(message: JSONRPCNotification): void {
    const { ledger, deliver } = this.#options;
    const subscription = subscriptionOf(message);
    const entry = subscription === undefined ? undefined : ledger.find(ourId(subscription));
    if (message.method !== 'notifications/subscriptions/acknowledged') {
      deliver(underProgramId(message, entry?.mark.programId));
    } else if (entry !== undefined) {
      ledger.settleIn(entry);
      entry.mark.onAcknowledged?.();
      if (entry.mark.internal !== true) deliver(underProgramId(message, entry.mark.programId));
    }
  }

  /** What was meant as an answer settles its request: nothing better will come. */
  takeTrouble(error: LongwireError, answerTo: RequestId | undefined): void {
    const { ledger, report } = this.#options;
    const entry = ledger.find(answerTo);
    if (entry?.handedOver !== true) {
      report(error);
    } else {
      ledger.remove(answerTo);
      entry.waiter.failed(error);
    }
  }

  /**
   * Progress goes to its call directly: on the SDK's own way it is handled later than the answer
   * that came right behind it, and lost.
   */
  #takeProgress(message: JSONRPCNotification): void {
    const entry = this.#options.ledger.find(ourId(message.params?.['progressToken']));
    if (entry === undefined) return;
    if (entry.mark.onProgress === undefined) {
      const forProgram = progressFor(entry, message);
      if (forProgram !== undefined) this.#options.deliver(forProgram, entry.mark.scope);
    } else {
      const progress = progressOf(message);
      if (progress !== undefined) entry.mark.onProgress(progress);
    }
  }
}
