import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import { isAnswer, ourId } from '../channels/message.js';
import type { LongwireError } from '../errors.js';
import type { DialedChannel } from './dialed-channel.js';
import { describe, serverError, sessionGone, tooManyRequests } from './failures.js';
import type { Drain, Ledger, LedgerEntry } from './ledger.js';
import type { Outbound } from './outbound.js';
import type { Port } from './port.js';
import type { RestorableState } from './restorable-state.js';
import type { ServerRequests } from './server-requests.js';
import { isSameRefusal, type SessionCheck } from './session-check.js';
import { progressFor, progressOf, subscriptionOf, underProgramId } from './wire.js';

/** What differs between the session of now and one that drains. */
export interface SessionInboundOptions {
  serverRequests: ServerRequests;
  /** The channel of the session. */
  dialed: () => DialedChannel | undefined;
  /** Called for every answer that proves that the server works. */
  onAnswered: (method: string) => void;
  /** Whose requests it answers, if it drains. */
  drain?: Drain;
}

/** What is needed to handle what the server sends. */
export interface InboundOptions extends SessionInboundOptions {
  ledger: Ledger;
  restorable: RestorableState;
  check: SessionCheck;
  /** Decides about a request that an error kept from running. */
  outbound: Outbound;
  port: Port;
}

/** Gives every message from the server to whom it belongs. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** `requestId` names the request on whose own stream the message came. */
  take(message: JSONRPCMessage, requestId?: RequestId): void {
    const { ledger, serverRequests, port, drain } = this.#options;
    if (isAnswer(message)) {
      if ('error' in message && this.#isHeld(message)) return;
      const entry = ledger.answered(message, drain);
      if (entry === undefined) return;
      this.#answered(entry, message);
      entry.waiter.answered(message);
    } else if ('id' in message && serverRequests.isFull) {
      this.#refuse(message.id);
    } else if ('id' in message) {
      const scope = requestId === undefined ? undefined : this.#find(requestId)?.context.scope;
      const request = serverRequests.enter(message);
      if (request !== undefined) port.deliver(request, scope);
    } else if (message.method === 'notifications/progress') {
      this.#takeProgress(message);
    } else if (message.method === 'notifications/cancelled') {
      const cancellation = serverRequests.cancelled(message);
      if (cancellation !== undefined) port.deliver(cancellation);
    } else {
      this.#takeNotification(message);
    }
  }

  /** An unreadable message that was meant as an answer settles its request: no other will come. */
  takeError(error: LongwireError, answerTo: RequestId | undefined): void {
    const { ledger, port } = this.#options;
    const entry = this.#find(answerTo);
    if (entry?.assigned !== true) {
      port.report(error);
    } else {
      ledger.remove(answerTo);
      entry.waiter.failed(error);
    }
  }

  /** The request with this id, if it is of this session. */
  #find(id: unknown): LedgerEntry | undefined {
    const { ledger, drain } = this.#options;
    const entry = ledger.find(id);
    return entry?.drain === drain ? entry : undefined;
  }

  #answered({ request, context }: LedgerEntry, answer: JSONRPCResponse): void {
    const { restorable, onAnswered } = this.#options;
    // Of the connection's own requests only the heartbeat's ping proves that the server works.
    if (context.internal !== true || context.isProbe === true) onAnswered(request.method);
    if ('result' in answer && context.internal !== true) restorable.learn(request, answer.result);
  }

  /** Answers a request of the server that is one too many. If that fails, nothing can be done. */
  #refuse(id: RequestId): void {
    void this.#options
      .dialed()
      ?.sendMessage(tooManyRequests(id))
      .catch(() => {});
  }

  /**
   * Holds an error that may be about the session until the session has answered a ping. If the ping
   * is refused in the same words, the request did not run.
   */
  #isHeld(answer: JSONRPCErrorResponse): boolean {
    const { ledger, check, outbound } = this.#options;
    const dialed = this.#options.dialed();
    const entry = this.#find(answer.id);
    if (dialed === undefined || entry?.assigned !== true || entry.doubts > 0) return false;
    if (!check.mayMeanGone(answer, entry, dialed)) return false;
    ledger.hold(entry, 'answered');
    void check.of(dialed).then((session) => {
      if (session.is === 'gone') dialed.abandon(session.reason, 'gone');
      if (ledger.find(answer.id) !== entry) return;
      if (session.is === 'gone' && isSameRefusal(answer.error, session.reason)) {
        ledger.endHold(entry);
        const error = serverError(describe(entry.request), answer.error);
        outbound.sendFailed(entry, sessionGone(error, 'refused'), dialed);
      } else {
        this.take(answer);
        ledger.endHold(entry);
      }
    });
    return true;
  }

  /** A notification of a subscription names it. Whoever opened it is told when it is open. */
  #takeNotification(message: JSONRPCNotification): void {
    const { ledger, port } = this.#options;
    const subscription = subscriptionOf(message);
    const entry = subscription === undefined ? undefined : this.#find(ourId(subscription));
    if (message.method !== 'notifications/subscriptions/acknowledged') {
      port.deliver(underProgramId(message, entry?.context.programId));
    } else if (entry !== undefined) {
      ledger.resetCounts(entry);
      entry.context.onAcknowledged?.(message.params);
      if (entry.context.internal !== true)
        port.deliver(underProgramId(message, entry.context.programId));
    }
  }

  /**
   * Progress goes directly to its call: through the SDK it would be handled after the answer that
   * came right behind it, and be lost.
   */
  #takeProgress(message: JSONRPCNotification): void {
    const { port, ledger } = this.#options;
    const token = ourId(message.params?.['progressToken']);
    const entry = this.#find(token);
    if (entry === undefined) {
      // A task outlives the session on which it was made.
      const progress = progressOf(message);
      if (progress !== undefined) ledger.taskOf(token)?.onProgress?.(progress);
      return;
    }
    if (entry.context.onProgress === undefined) {
      const forProgram = progressFor(entry, message);
      if (forProgram !== undefined) port.deliver(forProgram, entry.context.scope);
    } else {
      const progress = progressOf(message);
      if (progress !== undefined) entry.context.onProgress(progress);
    }
  }
}
