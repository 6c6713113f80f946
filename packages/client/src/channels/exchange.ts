import { Buffer } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../errors.js';
import type { YoungMap } from '../young-map.js';
import type { HttpRequest } from './attempts.js';
import { codingAdvice, codingsOf, Decoding, unknownCoding } from './content-coding.js';
import type { DecodingListener } from './content-coding.js';
import { EXCERPT_BYTES, excerptOf } from './excerpt.js';
import { place } from './place.js';
import type { TrafficCounts } from './traffic-counts.js';

/** How much of an error's body is read if it is JSON, which may be an answer. */
const JSON_EXCERPT_BYTES = 65_536;
/** How long the body of an error may take; it may never end. */
const EXCERPT_MS = 500;
/** How much body nobody asked for is let through before the connection is given up. */
const IGNORED_BYTES = 65_536;

/** How Node and undici call a connection that ends in the middle of an answer. */
const DROPPED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** How undici's parser ends its message about the same; it gives no code. */
const ENDED_EARLY = '(Invalid EOF state)';

/** What is asked by HTTP. */
export type HttpMethod = 'GET' | 'POST' | 'DELETE';

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Whether a body is of a media type, whatever parameters stand behind it. */
export function isOfType(headers: ResponseHeaders, type: string): boolean {
  const named = headers['content-type'];
  // Nearly all say just that.
  if (named === type) return true;
  return typeof named === 'string' && named.split(';', 1)[0]?.trim().toLowerCase() === type;
}

/** The head of a 2xx answer. */
export interface ExchangeAnswer {
  status: number;
  headers: ResponseHeaders;
  /** The URL that answered, after redirects. */
  url: URL;
}

/** Who is told what became of a request: one of the two, once. */
export interface Settler {
  /** The first byte is about to leave. */
  started?(): void;
  /** The head of a 2xx answer. */
  answered(answer: ExchangeAnswer): void;
  /** Everything else; with the body of an answer that is an error, as far as it was read. */
  failed(error: LongwireError, body?: string): void;
}

/** Where a 2xx answer goes. */
export interface BodySink {
  /** Before any data, in the same tick. */
  onHead?(answer: ExchangeAnswer): void;
  /** A LongwireError thrown here ends the body with it. */
  onData(chunk: Buffer): void;
  /** Once: the body ended, properly or (with the error) not. */
  onEnd(error: LongwireError | undefined): void;
}

/** Who is given the cookies of answers. */
export interface CookieTaker {
  takeCookies(exchange: Exchange, setCookie: string | string[]): void;
}

/** Whose exchanges they are. */
export interface ExchangeHost {
  readonly open: YoungMap<Exchange, Exchange>;
  readonly counts: TrafficCounts;
  readonly cookies: CookieTaker | undefined;
}

/** An answer that is an error, while its body is read for the message. */
interface Refusal {
  chunks: Buffer[];
  bytes: number;
  maxBytes: number;
  timer: NodeJS.Timeout;
  /** In what its body is written, if that cannot be read. */
  unknownCoding: string | undefined;
}

/** One HTTP request and its answer, as a handler of undici's dispatcher. */
export class Exchange implements Dispatcher.DispatchHandler, DecodingListener {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly request: HttpRequest;
  /** The headers that it went out with: names and values in turn. */
  readonly sentHeaders: readonly string[];
  responseHeaders: ResponseHeaders = {};

  readonly #settler: Settler;
  readonly #sink: BodySink | undefined;
  readonly #open: YoungMap<Exchange, Exchange>;
  readonly #counts: TrafficCounts;
  readonly #cookies: CookieTaker | undefined;
  /** Every body is one message. */
  readonly #bodyBytes: number | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #phase: 'waiting' | 'flowing' | 'refusing' | 'done' = 'waiting';
  #aborted = false;
  #status = 0;
  #ignoredBytes = 0;
  #refusal: Refusal | undefined;
  /** Of a body that came encoded. */
  #decoding: Decoding | undefined;
  /** What broke the body off, while what came before is still being decoded. */
  #brokenBy: Error | undefined;

  /** Enters itself in `open`, and leaves it when nothing more will come. */
  constructor(
    request: HttpRequest,
    url: URL,
    settler: Settler,
    { open, counts, cookies }: ExchangeHost,
    sentHeaders: string[],
  ) {
    this.request = request;
    this.sentHeaders = sentHeaders;
    this.#cookies = cookies;
    this.method = request.method;
    this.url = url;
    this.#settler = settler;
    this.#sink = request.sink;
    this.#open = open;
    this.#counts = counts;
    this.#bodyBytes = request.body === undefined ? undefined : Buffer.byteLength(request.body);
    open.set(this, this);
  }

  /** Gives the request up, which settles it at once; harmless once it is done. */
  abort(): void {
    if (this.#phase === 'done') return;
    this.#aborted = true;
    const controller = this.#controller;
    this.#finish(this.#failure(new Error('given up')));
    controller?.abort(new Error('given up'));
  }

  /** The dispatcher did not take the request. */
  refused(cause: unknown): void {
    this.#finish(this.#failure(cause instanceof Error ? cause : new Error(String(cause))));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) {
      controller.abort(new Error('given up'));
      return;
    }
    if (this.#bodyBytes !== undefined) this.#counts.sent(this.#bodyBytes);
    this.#settler.started?.();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    if (status < 200 || this.#phase === 'done') return;
    this.#status = status;
    this.responseHeaders = headers;
    const setCookie = headers['set-cookie'];
    if (setCookie !== undefined) this.#cookies?.takeCookies(this, setCookie);
    const unknown =
      headers['content-encoding'] === undefined ? undefined : this.#decode(controller, headers);
    if (status >= 300) {
      this.#phase = 'refusing';
      const timer = setTimeout(() => this.#refuse(), EXCERPT_MS);
      const isJson = isOfType(headers, 'application/json');
      const maxBytes = isJson ? JSON_EXCERPT_BYTES : EXCERPT_BYTES;
      this.#refusal = { chunks: [], bytes: 0, maxBytes, timer, unknownCoding: unknown };
    } else if (unknown !== undefined && this.#sink !== undefined) {
      this.#finish(this.#undecodable(`is in the content coding ${unknown}`, unknown));
      controller.abort(new Error('cannot be read'));
    } else {
      this.#phase = 'flowing';
      const answer = { status, headers, url: this.url };
      this.#sink?.onHead?.(answer);
      this.#settler.answered(answer);
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#counts.heard(chunk.length);
    if (this.#decoding === undefined) this.onDecoded(chunk);
    else this.#decoding.write(chunk);
  }

  onDecoded(chunk: Buffer): void {
    if (this.#refusal !== undefined) {
      this.#refusal.chunks.push(chunk);
      this.#refusal.bytes += chunk.length;
      if (this.#refusal.bytes >= this.#refusal.maxBytes) this.#refuse();
    } else if (this.#phase === 'flowing' && !this.#aborted) {
      if (this.#sink !== undefined) {
        try {
          this.#sink.onData(chunk);
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
    if (this.#phase === 'refusing') this.#refuse();
    // A coding says itself where it ends: what broke off behind that is whole.
    else if (error === undefined) this.#finish(undefined);
    else if (isCut) this.#finish(this.#failure(this.#brokenBy ?? this.#cut(error)));
    else {
      const { 'content-encoding': coding } = this.responseHeaders;
      this.#finish(this.#undecodable(`is not ${String(coding)}, as it says (${error.message})`));
      this.#controller?.abort(new Error('cannot be read'));
    }
  }

  /** Lets the body be decoded; which coding is not known, if one is not. */
  #decode(
    controller: Dispatcher.DispatchController,
    { 'content-encoding': written }: ResponseHeaders,
  ): string | undefined {
    const codings = codingsOf(written);
    const unknown = unknownCoding(codings);
    const isRead = this.#status >= 300 || this.#sink !== undefined;
    if (unknown !== undefined || codings.length === 0 || !isRead) return unknown;
    this.#decoding = new Decoding(codings, this, {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
    });
    return undefined;
  }

  onResponseEnd(): void {
    if (this.#decoding !== undefined) this.#decoding.end();
    else if (this.#phase === 'refusing') this.#refuse();
    else this.#finish(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (this.#decoding?.hasBegun === true) {
      this.#brokenBy = cause;
      this.#decoding.end();
    } else if (this.#phase === 'refusing') this.#refuse();
    else this.#finish(this.#failure(cause));
  }

  #finish(error: LongwireError | undefined, body?: string): void {
    const phase = this.#phase;
    if (phase === 'done') return;
    this.#phase = 'done';
    clearTimeout(this.#refusal?.timer);
    this.#refusal = undefined;
    this.#decoding?.destroy();
    this.#open.delete(this);
    if (phase === 'flowing') this.#sink?.onEnd(error);
    else if (error !== undefined) this.#settler.failed(error, body);
  }

  #failure(cause: Error): LongwireError {
    const what = `${this.method} ${place(this.url)}`;
    if (this.#aborted) {
      return new LongwireError(`${what} was given up`, {
        code: 'closed',
        certainty: this.#controller === undefined ? 'not-sent' : 'outcome-unknown',
        cause,
      });
    }
    if (this.#controller === undefined) {
      return new LongwireError(`cannot connect to ${this.url.origin}: ${networkReason(cause)}`, {
        code: 'connect-failed',
        certainty: 'not-sent',
        cause,
      });
    }
    return new ConnectionLostError(`${what} broke off: ${networkReason(cause)}`, {
      certainty: 'outcome-unknown',
      cause,
    });
  }

  /** The body ended properly, in the middle of what it was to hold. */
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
      `the body of the answer to ${this.method} ${place(this.url)} ${what}, which cannot be decoded`,
      { code: 'protocol', certainty: 'outcome-unknown', hint: codingAdvice(coding) },
    );
  }

  #refuse(): void {
    const refusal = this.#refusal;
    if (refusal === undefined) return;
    const status = this.#status;
    const read = Buffer.concat(refusal.chunks);
    const { unknownCoding: coding } = refusal;
    const { text: excerpt, said } =
      coding === undefined
        ? excerptOf(read, this.responseHeaders['content-type'])
        : { text: '', said: ` with a body in the content coding ${coding}, which is not known` };
    this.#finish(
      new HttpStatusError(`${this.method} ${place(this.url)} was answered ${status}${said}`, {
        hint: advice(status),
        status,
        excerpt,
        certainty: this.#certainty(status),
        retryAfterMs: retryAfterMs(this.responseHeaders['retry-after']),
      }),
      read.toString('utf8'),
    );
    // Whatever is left of the body would hold the socket.
    this.#controller?.abort(new Error('read enough'));
  }

  #certainty(status: number): 'refused' | 'outcome-unknown' {
    // Of other redirections, 303 at least is what follows a request that was carried out.
    if (status < 400 && status !== 307 && status !== 308) return 'outcome-unknown';
    if (status < 500) return 'refused';
    return status === 503 && this.responseHeaders['retry-after'] !== undefined
      ? 'refused'
      : 'outcome-unknown';
  }
}

function asLongwireError(error: unknown): LongwireError {
  if (error instanceof LongwireError) return error;
  return new LongwireError('an answer of the server could not be handled', {
    code: 'protocol',
    certainty: 'outcome-unknown',
    cause: error,
  });
}

function advice(status: number): string | undefined {
  if (status === 401) return 'give credentials that it takes, in headers';
  if (status === 403) return 'these credentials are not enough';
  return undefined;
}

/** The `Retry-After` header in milliseconds from now. */
export function retryAfterMs(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Node hides the reason of a failed connection in `cause`, or in the parts of an AggregateError. */
export function networkReason(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return networkReason(error.errors[0]);
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'no such host (ENOTFOUND)';
  if (DROPPED.has(code ?? '')) return `the server dropped the connection (${code})`;
  if (error.message.endsWith(ENDED_EARLY)) return 'the server dropped the connection';
  if (error.message !== '')
    return code === undefined ? error.message : `${error.message} (${code})`;
  return code ?? error.name;
}
