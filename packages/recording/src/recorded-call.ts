import type { EndLine } from './format.js';
import type { RecordableProgress, RecordableRequest } from './recordable.js';

type Outcome = Pick<EndLine, 'outcome' | 'result' | 'error'>;

/** What is told of a call on its way. None of them throws. */
export interface RecordedCallHandlers {
  /** It left, for the first time or again. */
  onSent(attempt: number, id: number | string | undefined): void;
  onProgress(progress: RecordableProgress): void;
  /** Makes what becomes of a call that was ended early with this error. */
  onStopped(error: unknown): Outcome;
  /** It ended; called once. */
  onEnd(outcome: () => Outcome): void;
}

/** A call of the program, from its begin to its end, beside whoever else listens to it. */
export class RecordedCall {
  readonly #handlers: RecordedCallHandlers;
  readonly #restore: () => void;
  #isOver = false;

  constructor(request: RecordableRequest, handlers: RecordedCallHandlers) {
    this.#handlers = handlers;
    const { onSent, onProgress, signal } = request;
    let attempt = 0;
    request.onSent = () => {
      if (!this.#isOver) handlers.onSent(++attempt, request.route?.id);
      onSent?.();
    };
    // Where nobody wants progress the server is not asked for it, and a listener would look like one.
    if (onProgress !== undefined) {
      request.onProgress = (progress) => {
        if (!this.#isOver) handlers.onProgress(progress);
        onProgress(progress);
      };
    }
    // A middleware further in may hold the call long after its caller was told.
    const stopped = (): void => this.end(() => handlers.onStopped(signal.reason));
    signal.addEventListener('abort', stopped, { once: true });
    this.#restore = () => {
      signal.removeEventListener('abort', stopped);
      // It may be sent again, with another call around it.
      request.onSent = onSent;
      if (onProgress !== undefined) request.onProgress = onProgress;
    };
  }

  /** It ended; what comes later is not of interest. */
  end(outcome: () => Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#restore();
    this.#handlers.onEnd(outcome);
  }
}
