import { Buffer } from 'node:buffer';
import type { LongwireError } from '../errors.js';
import type { HttpMethod } from '../options/channel-options.js';
import type { WireExchange } from '../options/wire-event.js';
import { displayUrl } from './display-url.js';
import type { HttpRequestOptions, ResponseHeaders } from './request-options.js';
import { nextExchange, type TrafficCounts } from './traffic-counts.js';

/** The request that is observed. */
interface Observed {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly request: HttpRequestOptions;
  readonly responseHeaders: ResponseHeaders;
}

/** Tells the observer of one HTTP request what becomes of it. */
export class ObservedExchange {
  readonly #observed: Observed;
  readonly #counts: TrafficCounts;
  readonly #exchange = nextExchange();
  readonly #startedAt = performance.now();
  readonly #bytesSent: number;
  #status: number | undefined;
  #bytesReceived = 0;

  constructor(observed: Observed, counts: TrafficCounts) {
    this.#observed = observed;
    this.#counts = counts;
    this.#bytesSent = Buffer.byteLength(observed.request.body ?? '');
  }

  /** Its first byte is about to leave. */
  sent(): void {
    const { message } = this.#observed.request;
    this.#tell('sent');
    if (message === undefined) return;
    this.#counts.observe?.({
      type: 'message',
      direction: 'sent',
      message,
      bytes: this.#bytesSent,
    });
  }

  /** The head of the response came. */
  answered(status: number): void {
    this.#status = status;
    this.#tell('answered');
  }

  /** Bytes of the response came. */
  heard(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  /** It is over. */
  ended(error: LongwireError | undefined): void {
    this.#tell('ended', error);
  }

  #tell(phase: WireExchange['phase'], error?: LongwireError): void {
    const { method, url, request, responseHeaders } = this.#observed;
    const contentType = responseHeaders['content-type'];
    this.#counts.observe?.({
      type: 'exchange',
      phase,
      exchange: this.#exchange,
      method,
      url: displayUrl(url),
      message: request.message,
      bytesSent: this.#bytesSent,
      status: this.#status,
      contentType: typeof contentType === 'string' ? contentType : undefined,
      bytesReceived: this.#bytesReceived,
      elapsedMs: performance.now() - this.#startedAt,
      error,
    });
  }
}
