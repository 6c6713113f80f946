import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import { BrokenStreamError, type Channel, type ChannelHandlers } from '../channels/channel.js';
import { isAnswer } from '../channels/message.js';
import type { LongwireError } from '../errors.js';

/** The least delay before a broken response is resumed. */
const RESUME_DELAY_MS = 50;
/** The longest delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const IGNORE: ChannelHandlers = { onMessage: () => {}, onError: () => {}, onEnd: () => {} };

/**
 * The handlers of a channel that is being opened: takes the answers to the requests of the handshake,
 * and passes on everything else.
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

  onError(error: LongwireError, answerTo?: RequestId): void {
    if (this.#waitsFor !== undefined && answerTo === this.#waitsFor) this.#reject(error);
    else this.#handlers.onError(error, answerTo);
  }

  onEnd(reason: LongwireError): void {
    this.#ended = reason;
    if (this.#waitsFor !== undefined) this.#reject(reason);
    else this.#handlers.onEnd(reason);
  }

  /** The channel is not used: everything that still comes is dropped. */
  discard(): void {
    this.#handlers = IGNORE;
  }

  /**
   * Sends the request and waits for its answer. A response that breaks after some progress is resumed.
   *
   * @throws LongwireError if the request failed or the channel ended; the reason of `signal`.
   */
  async to(
    channel: Pick<Channel, 'send' | 'resume'>,
    request: JSONRPCRequest,
    signal: AbortSignal,
  ): Promise<JSONRPCResponse> {
    this.#waitsFor = request.id;
    let cancel = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<JSONRPCResponse>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        cancel = () => reject(signal.reason as LongwireError);
        const failed = (error: LongwireError): void => {
          const broken = error instanceof BrokenStreamError ? error.broken : undefined;
          if (broken?.madeProgress === true && !signal.aborted) {
            const resume = (): void => void channel.resume?.(broken).catch(failed);
            const delayMs = Math.max(broken.askedDelayMs ?? 0, RESUME_DELAY_MS);
            timer = setTimeout(resume, Math.min(delayMs, MAX_TIMER_MS));
          } else reject(error);
        };
        signal.addEventListener('abort', cancel, { once: true });
        if (signal.aborted) cancel();
        else if (this.#ended !== undefined) reject(this.#ended);
        else channel.send(request, undefined, { isProbe: true, internal: true }).catch(failed);
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      this.#waitsFor = undefined;
    }
  }
}
