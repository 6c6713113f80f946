import type { AsyncResource } from 'node:async_hooks';
import {
  INTERNAL_ERROR,
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCResponse,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/client';
import { isAnswer } from '../channels/message.js';
import type { LongwireError } from '../errors.js';
import { describe, untakenAnswer } from './failures.js';
import type { LedgerRequest } from './ledger.js';
import { overloadError, overloadOf } from '../untrusted/sdk-load.js';

/** What is needed to deliver messages to the program. */
export interface DeliveryOptions {
  /** The SDK's `Client` sets these callbacks. */
  receiver: Pick<Transport, 'onmessage' | 'onerror'>;
  /** The async context for what belongs to no call. */
  scope: AsyncResource;
  /** Called when the server has changed its list of tools, before the program is told. */
  onToolsChanged: () => void;
  /** Answers a request of the server. */
  reply: (answer: JSONRPCResponse) => Promise<void>;
}

/** Delivers messages to the program's `Client`. An error that the program throws ends no session. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Messages that came while one `Client` replaces another. */
  #kept: JSONRPCMessage[] | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Delivers an answer. The SDK's `Client` silently drops an answer that it cannot use, and whoever
   * waits would wait forever: here they get an error.
   */
  answer(
    answer: JSONRPCResponse & { id: RequestId },
    { request, onmessage }: { request: LedgerRequest; onmessage: Transport['onmessage'] },
  ): LongwireError | undefined {
    try {
      if (!isJSONRPCResultResponse(answer) && !isJSONRPCErrorResponse(answer)) {
        return untakenAnswer(describe(request), answer);
      }
      const overload = 'result' in answer ? overloadOf(answer.result) : undefined;
      if (overload !== undefined) return overloadError(describe(request), overload);
      (onmessage ?? this.#options.receiver.onmessage)?.(answer);
      return undefined;
    } catch (cause) {
      return untakenAnswer(describe(request), answer, cause);
    }
  }

  /**
   * The `Client` handles a notification one microtask after it gets it. An answer that it got at once
   * would overtake the progress that came before.
   *
   * @throws LongwireError as `answer`.
   */
  answerSoon(...parameters: Parameters<Delivery['answer']>): Promise<void> {
    return Promise.resolve().then(() => {
      const failure = this.answer(...parameters);
      if (failure !== undefined) throw failure;
    });
  }

  /** Delivers a message. A request of the server is answered even if the program throws. */
  message(
    message: JSONRPCMessage,
    onmessage?: Transport['onmessage'],
    scope: AsyncResource = this.#options.scope,
  ): void {
    if (onmessage === undefined && this.#kept !== undefined) {
      this.#kept.push(message);
      return;
    }
    const { receiver, reply } = this.#options;
    try {
      // The program waits for an answer in the context in which it made the request.
      if (isAnswer(message)) (onmessage ?? receiver.onmessage)?.(message);
      else scope.runInAsyncScope(() => this.#handOn(message));
    } catch (error) {
      this.error(error as Error);
      if (!('method' in message) || !('id' in message)) return;
      const { id } = message;
      const failure = { code: INTERNAL_ERROR, message: 'the client failed to handle the request' };
      reply({ jsonrpc: '2.0', id, error: failure }).catch(() => {});
    }
  }

  /** Reports an error that belongs to no call. */
  error(error: Error): void {
    const { scope, receiver } = this.#options;
    try {
      scope.runInAsyncScope(() => receiver.onerror?.(error));
    } catch {
      // A listener for errors threw: there is nobody left to tell.
    }
  }

  /** Keeps messages while one `Client` replaces another, and delivers them to the new one. */
  async keepDuring(attach: () => Promise<unknown>): Promise<void> {
    const kept: JSONRPCMessage[] = [];
    this.#kept = kept;
    try {
      await attach();
    } finally {
      if (this.#kept === kept) this.#kept = undefined;
      for (const message of kept) this.message(message);
    }
  }

  #handOn(message: JSONRPCMessage): void {
    if ('method' in message && message.method === 'notifications/tools/list_changed') {
      this.#options.onToolsChanged();
    }
    this.#options.receiver.onmessage?.(message);
  }
}
