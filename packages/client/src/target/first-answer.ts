import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import { BrokenStreamError, type Channel, type ChannelHandlers } from '../channels/channel.js';
import { isAnswer } from '../channels/message.js';
import type { LongwireError } from '../errors.js';

/** How soon, at the earliest, a server is asked for the rest of an answer. */
const GO_ON_MS = 50;
/** What a timer can wait for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const NOBODY: ChannelHandlers = { onMessage: () => {}, onTrouble: () => {}, onEnd: () => {} };

/**
 * Stands between a channel that is being opened and those that it is opened for: picks out the
 * answers to what is asked meanwhile, and lets all else through.
 */
export class FirstAnswer implements ChannelHandlers {
  #handlers: ChannelHandlers;
  #waitsFor: RequestId | undefined;
  #ended: LongwireError | undefined;
  #resolve: (answer: JSONRPCResponse) => void = () => {};
  #reject: (error: LongwireError) => void = () => {};

  constructor(handlers: ChannelHandlers) {
    this.#handlers = handlers;
  }

  onMessage(message: JSONRPCMessage, requestId?: RequestId): void {
    if (this.#waitsFor !== undefined && isAnswer(message) && message.id === this.#waitsFor) {
      this.#resolve(message);
    } else {
      this.#handlers.onMessage(message, requestId);
    }
  }

  onTrouble(error: LongwireError, answerTo?: RequestId): void {
    if (this.#waitsFor !== undefined && answerTo === this.#waitsFor) this.#reject(error);
    else this.#handlers.onTrouble(error, answerTo);
  }

  onEnd(reason: LongwireError): void {
    this.#ended = reason;
    if (this.#waitsFor !== undefined) this.#reject(reason);
    else this.#handlers.onEnd(reason);
  }

  /** Whatever still comes is nobody's: the channel is not used. */
  discard(): void {
    this.#handlers = NOBODY;
  }

  /**
   * Asks, and waits for the answer. A server that breaks off after the beginning of it, as it may
   * at any time, is asked for the rest.
   *
   * @throws LongwireError if it could not be asked or the channel ended; the reason of `signal`.
   */
  async to(
    channel: Pick<Channel, 'send' | 'resume'>,
    request: JSONRPCRequest,
    signal: AbortSignal,
  ): Promise<JSONRPCResponse> {
    this.#waitsFor = request.id;
    let giveUp = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<JSONRPCResponse>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        giveUp = () => reject(signal.reason as LongwireError);
        const failed = (error: LongwireError): void => {
          const broken = error instanceof BrokenStreamError ? error.broken : undefined;
          if (broken?.gotOn === true && !signal.aborted) {
            const goOn = (): void => void channel.resume?.(broken).catch(failed);
            const delayMs = Math.max(broken.askedDelayMs ?? 0, GO_ON_MS);
            timer = setTimeout(goOn, Math.min(delayMs, MAX_TIMER_MS));
          } else reject(error);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        if (signal.aborted) giveUp();
        else if (this.#ended !== undefined) reject(this.#ended);
        else channel.send(request, undefined, { isProbe: true, internal: true }).catch(failed);
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.#waitsFor = undefined;
    }
  }
}
