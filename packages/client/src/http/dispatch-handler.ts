import { Buffer } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { YoungMap } from '../young-map.js';
import { asLongwireError } from '../error-facts.js';
import { isOfType } from './media-type.js';
import { firstPart, networkAdvice, networkReason } from './network-error.js';
import type { ProxyRules } from './proxy.js';
import type { HttpRequestOptions, ResponseHandler, ResponseHeaders } from './request-options.js';
import {
  codingAdvice,
  codingsOf,
  Decoding,
  unknownCoding,
  type DecodingListener,
} from './content-coding.js';
import { EXCERPT_BYTES, excerptOf } from '../untrusted/excerpt.js';
import { displayUrl } from './display-url.js';
import type { HttpMethod } from '../options/channel-options.js';
import { ReadBudget } from '../read-budget.js';
import { clientRefused, statusError } from './status-error.js';
import { alertOf } from './tls-error.js';
import { ObservedExchange } from './observed-exchange.js';
import type { TrafficCounts } from './traffic-counts.js';

/** How much of an error's body is read if it is JSON: it may be a JSON-RPC answer. */
const JSON_EXCERPT_BYTES = 65_536;
/** How long the body of an error may take; it may never end. */
const EXCERPT_MS = 500;
/** How many bytes of a body that nobody reads may come before the request is aborted. */
const IGNORED_BYTES = 65_536;

/** What all requests of one client share. */
export interface DispatchHandlerOptions {
  /** Those whose response is not complete. */
  readonly open: YoungMap<DispatchHandler, DispatchHandler>;
  readonly counts: TrafficCounts;
  /** Which proxy a URL has. */
  readonly proxyFor: (url: URL) => ReturnType<ProxyRules['proxyFor']>;
  /** Receives the `Set-Cookie` headers of every response. */
  readonly onCookies: ((from: DispatchHandler, setCookie: string | string[]) => void) | undefined;
}

/** An HTTP error while its body is read for the message. */
interface ErrorBody {
  chunks: Buffer[];
  bytes: number;
  maxBytes: number;
  timer: NodeJS.Timeout;
  /** The content coding of the body, if it cannot be decoded. */
  unknownCoding: string | undefined;
}

/** One HTTP request and its response, as a handler of undici's dispatcher. */
export class DispatchHandler implements Dispatcher.DispatchHandler, DecodingListener {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly request: HttpRequestOptions;
  /** The headers that were sent, without cookies of the jar: names and values in turn. */
  readonly sentHeaders: readonly string[];
  responseHeaders: ResponseHeaders = {};

  readonly #handler: ResponseHandler;
  /** Receives the body of a 2xx response; `undefined` if nobody reads it. */
  readonly #bodyHandler: ResponseHandler | undefined;
  readonly #open: YoungMap<DispatchHandler, DispatchHandler>;
  readonly #counts: TrafficCounts;
  readonly #onCookies: DispatchHandlerOptions['onCookies'];
  readonly #proxyFor: DispatchHandlerOptions['proxyFor'];
  /** Of the one message in the body of the request. */
  readonly #bodyBytes: number | undefined;
  /** Its numbers for whoever observes it; `undefined` if nobody does. */
  readonly #observed: ObservedExchange | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #phase: 'head' | 'body' | 'error-body' | 'done' = 'head';
  #aborted = false;
  #status = 0;
  #ignoredBytes = 0;
  #errorBody: ErrorBody | undefined;
  /** Of a body with a content coding. */
  #decoding: Decoding | undefined;
  /** Of a body whose parts are handled as they come. */
  #readBudget: ReadBudget | undefined;
  /** What broke the body, while the bytes before it are still decoded. */
  #brokenBy: Error | undefined;

  /** Adds itself to `open`, and removes itself when the response is complete. */
  constructor(
    request: HttpRequestOptions,
    url: URL,
    handler: ResponseHandler,
    { open, counts, proxyFor, onCookies }: DispatchHandlerOptions,
    sentHeaders: string[],
  ) {
    this.request = request;
    this.sentHeaders = sentHeaders;
    this.#onCookies = onCookies;
    this.#proxyFor = proxyFor;
    this.method = request.method;
    this.url = url;
    this.#handler = handler;
    // Straight to the reader of the body: there is nothing left to decide about the request.
    this.#bodyHandler = request.handler.onData === undefined ? undefined : request.handler;
    this.#open = open;
    this.#counts = counts;
    this.#bodyBytes = request.body === undefined ? undefined : Buffer.byteLength(request.body);
    if (counts.observe !== undefined) this.#observed = new ObservedExchange(this, counts);
    open.set(this, this);
  }

  /** Aborts the request, which settles it at once; harmless once it is done. */
  abort(): void {
    if (this.#phase === 'done') return;
    this.#aborted = true;
    const controller = this.#controller;
    this.#finish(this.#failure(new Error('aborted')));
    controller?.abort(new Error('aborted'));
  }

  /** The dispatcher did not take the request. */
  rejected(cause: unknown): void {
    this.#finish(this.#failure(cause instanceof Error ? cause : new Error(String(cause))));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) {
      controller.abort(new Error('aborted'));
      return;
    }
    if (this.#bodyBytes !== undefined) this.#counts.sent(this.#bodyBytes);
    this.#observed?.sent();
    this.#handler.onSent?.();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    if (status < 200 || this.#phase === 'done') return;
    this.#status = status;
    this.responseHeaders = headers;
    this.#observed?.answered(status);
    const setCookie = headers['set-cookie'];
    if (setCookie !== undefined) this.#onCookies?.(this, setCookie);
    const unknown =
      headers['content-encoding'] === undefined ? undefined : this.#decode(controller, headers);
    if (status >= 300) {
      this.#phase = 'error-body';
      const timer = setTimeout(() => this.#failWithStatus(), EXCERPT_MS);
      const isJson = isOfType(headers, 'application/json');
      const maxBytes = isJson ? JSON_EXCERPT_BYTES : EXCERPT_BYTES;
      this.#errorBody = { chunks: [], bytes: 0, maxBytes, timer, unknownCoding: unknown };
    } else if (unknown !== undefined && this.#bodyHandler !== undefined) {
      this.#finish(this.#undecodable(`is in the content coding ${unknown}`, unknown));
      controller.abort(new Error('cannot be read'));
    } else {
      this.#phase = 'body';
      if (isOfType(headers, 'text/event-stream')) this.#readBudget = new ReadBudget();
      this.#handler.onHead({ status, headers, url: this.url });
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#counts.heard(chunk.length);
    this.#observed?.heard(chunk.length);
    // Decoding pauses the source by itself.
    if (this.#decoding !== undefined) {
      this.#decoding.write(chunk);
      return;
    }
    this.onDecoded(chunk);
    this.#readBudget?.spend(chunk.length, controller);
  }

  onDecoded(chunk: Buffer): void {
    if (this.#errorBody !== undefined) {
      this.#errorBody.chunks.push(chunk);
      this.#errorBody.bytes += chunk.length;
      if (this.#errorBody.bytes >= this.#errorBody.maxBytes) this.#failWithStatus();
    } else if (this.#phase === 'body' && !this.#aborted) {
      if (this.#bodyHandler !== undefined) {
        try {
          this.#bodyHandler.onData?.(chunk);
        } catch (error) {
          this.#finish(asLongwireError(error));
          this.#controller?.abort(new Error('cannot be read'));
        }
      } else {
        this.#ignoredBytes += chunk.length;
        if (this.#ignoredBytes > IGNORED_BYTES) {
          this.#controller?.abort(new Error('nobody reads this'));
        }
      }
    }
  }

  onDecodingEnd(error: NodeJS.ErrnoException | undefined): void {
    const isCut = error?.code === 'Z_BUF_ERROR';
    if (this.#phase === 'error-body') this.#failWithStatus();
    // A coded body marks its own end: what broke after that mark is complete.
    else if (error === undefined) this.#finish(undefined);
    else if (isCut) this.#finish(this.#failure(this.#brokenBy ?? this.#cut(error)));
    else {
      const { 'content-encoding': coding } = this.responseHeaders;
      this.#finish(this.#undecodable(`is not ${String(coding)}, as it says (${error.message})`));
      this.#controller?.abort(new Error('cannot be read'));
    }
  }

  /** Starts to decode the body; returns the coding that cannot be decoded, if there is one. */
  #decode(
    controller: Dispatcher.DispatchController,
    { 'content-encoding': written }: ResponseHeaders,
  ): string | undefined {
    const codings = codingsOf(written);
    const unknown = unknownCoding(codings);
    const isRead = this.#status >= 300 || this.#bodyHandler !== undefined;
    if (unknown !== undefined || codings.length === 0 || !isRead) return unknown;
    this.#decoding = new Decoding(codings, this, {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
    });
    return undefined;
  }

  onResponseEnd(): void {
    if (this.#decoding !== undefined) this.#decoding.end();
    else if (this.#phase === 'error-body') this.#failWithStatus();
    else this.#finish(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (this.#decoding?.hasBegun === true) {
      this.#brokenBy = cause;
      this.#decoding.end();
    } else if (this.#phase === 'error-body') this.#failWithStatus();
    else this.#finish(this.#failure(cause));
  }

  #finish(error: LongwireError | undefined, body?: string): void {
    const phase = this.#phase;
    if (phase === 'done') return;
    this.#phase = 'done';
    clearTimeout(this.#errorBody?.timer);
    this.#errorBody = undefined;
    this.#decoding?.destroy();
    this.#open.delete(this);
    this.#observed?.ended(error);
    if (phase === 'body') this.#bodyHandler?.onEnd?.(error);
    else if (error !== undefined) this.#handler.onError(error, body);
  }

  #failure(cause: Error): LongwireError {
    const what = `${this.method} ${displayUrl(this.url)}`;
    if (this.#aborted) {
      return new LongwireError(`${what} was aborted`, {
        code: 'closed',
        certainty: this.#controller === undefined ? 'not-sent' : 'outcome-unknown',
        cause,
      });
    }
    if (this.#controller === undefined) {
      const reason = networkReason(cause, this.url);
      return new LongwireError(`cannot connect to ${this.url.origin}: ${reason}`, {
        code: 'connect-failed',
        certainty: 'not-sent',
        hint: networkAdvice(cause, this.url),
        cause,
      });
    }
    const alert = alertOf(firstPart(cause).code);
    if (alert !== undefined) return clientRefused(this.url, alert, cause);
    return new ConnectionLostError(`${what} broke off: ${networkReason(cause)}`, {
      certainty: 'outcome-unknown',
      cause,
    });
  }

  /** HTTP says that the body is complete, but its coding says that the end is missing. */
  #cut(cause: Error): Error {
    const { 'content-encoding': coding, 'content-length': length } = this.responseHeaders;
    const guess =
      length === undefined
        ? ''
        : `, of which Content-Length says that it has ${String(length)} bytes`;
    return new Error(`its body ended in the middle of the ${String(coding)}${guess}`, { cause });
  }

  #undecodable(what: string, coding = ''): LongwireError {
    return new LongwireError(
      `the body of the answer to ${this.method} ${displayUrl(this.url)} ${what}, which cannot be decoded`,
      { code: 'protocol', certainty: 'outcome-unknown', hint: codingAdvice(coding) },
    );
  }

  #failWithStatus(): void {
    const errorBody = this.#errorBody;
    if (errorBody === undefined) return;
    const status = this.#status;
    const read = Buffer.concat(errorBody.chunks);
    const { unknownCoding: coding } = errorBody;
    const { text: excerpt, said } =
      coding === undefined
        ? excerptOf(read, this.responseHeaders['content-type'])
        : { text: '', said: ` with a body in the content coding ${coding}, which is not known` };
    const error = statusError(status, {
      method: this.method,
      url: this.url,
      headers: this.responseHeaders,
      proxy: this.#proxyFor(this.url),
      excerpt,
      said,
    });
    this.#finish(error, read.toString('utf8'));
    // The rest of the body would keep the socket busy.
    this.#controller?.abort(new Error('read enough'));
  }
}
