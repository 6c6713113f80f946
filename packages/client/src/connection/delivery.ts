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

/** What is needed to hand messages to the program. */
export interface DeliveryOptions {
  /** Who takes them now: the SDK's `Client` sets these callbacks. */
  receiver: Pick<Transport, 'onmessage' | 'onerror'>;
  /** The async context of what belongs to no call. */
  scope: AsyncResource;
  /** Told that the server has changed its list of tools, before the program is. */
  onToolsChanged: () => void;
  /** Answers a request of the server. */
  reply: (answer: JSONRPCResponse) => Promise<void>;
}

/** Hands to the program's `Client` what the server sends. What the program throws ends no session. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** What came while one `Client` takes the place of another. */
  #unheard: JSONRPCMessage[] | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Hands an answer up. The SDK's `Client` drops what is no answer by its own rules, and what it
   * fails to read, without a word to whoever waits: that is told here what became of it.
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

  /** Hands a message up. A request of the server that the program fails to take is answered. */
  message(
    message: JSONRPCMessage,
    onmessage?: Transport['onmessage'],
    scope: AsyncResource = this.#options.scope,
  ): void {
    if (onmessage === undefined && this.#unheard !== undefined) {
      this.#unheard.push(message);
      return;
    }
    const { receiver, reply } = this.#options;
    try {
      // What it is an answer to was asked in a context, and goes on in that.
      if (isAnswer(message)) (onmessage ?? receiver.onmessage)?.(message);
      else scope.runInAsyncScope(() => this.#handUp(message));
    } catch (error) {
      this.error(error as Error);
      if (!('method' in message) || !('id' in message)) return;
      const { id } = message;
      const failure = { code: INTERNAL_ERROR, message: 'the client failed to take the request' };
      reply({ jsonrpc: '2.0', id, error: failure }).catch(() => {});
    }
  }

  /** Tells the program of what is wrong and belongs to nobody. */
  error(error: Error): void {
    const { scope, receiver } = this.#options;
    try {
      scope.runInAsyncScope(() => receiver.onerror?.(error));
    } catch {
      // Whoever listens for errors and throws one has nobody left to tell.
    }
  }

  /** Keeps what the server says while one `Client` takes the place of another, and hands it to the new one. */
  async keepDuring(attach: () => Promise<unknown>): Promise<void> {
    const unheard: JSONRPCMessage[] = [];
    this.#unheard = unheard;
    try {
      await attach();
    } finally {
      if (this.#unheard === unheard) this.#unheard = undefined;
      for (const message of unheard) this.message(message);
    }
  }

  #handUp(message: JSONRPCMessage): void {
    if ('method' in message && message.method === 'notifications/tools/list_changed') {
      this.#options.onToolsChanged();
    }
    this.#options.receiver.onmessage?.(message);
  }
}
