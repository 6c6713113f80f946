import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from '../client-request.js';

/** What a request belongs to: the signal is aborted when that ends. */
interface Signalling {
  readonly signal: AbortSignal;
}

/**
 * A request as the Fetch API shows it, for what the SDK and tools read of it: method, URL, headers and
 * signal. A real `Request` costs more than most tools do.
 */
export class IncomingRequest {
  readonly #request: ClientRequest;
  readonly #owner: Signalling;
  #headers: Headers | undefined;

  /** @param owner asked for its signal when somebody wants to know it. */
  constructor(request: ClientRequest, owner: Signalling) {
    this.#request = request;
    this.#owner = owner;
  }

  get signal(): AbortSignal {
    return this.#owner.signal;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return `${this.#request.protocol}://${this.#request.host}${this.#request.originalUrl}`;
  }

  get headers(): Headers {
    return (this.#headers ??= new IncomingHeaders(this.#request.headers) as Headers);
  }

  /** As what the SDK's types ask for. */
  static from(request: ClientRequest, owner: Signalling): Request {
    return new IncomingRequest(request, owner) as unknown as Request;
  }
}

/**
 * The headers of a request, read where they are. The SDK asks every stateless request for five of them;
 * to make a `Headers` of all takes longer than to answer.
 */
class IncomingHeaders {
  readonly #headers: IncomingHttpHeaders;
  #made: Headers | undefined;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    if (this.#made !== undefined) return this.#made.get(name);
    const value = this.#headers[name.toLowerCase()];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(', ') : value;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** For everything that is asked more rarely. */
  get all(): Headers {
    return (this.#made ??= headersOf(this.#headers));
  }

  append(name: string, value: string): void {
    this.all.append(name, value);
  }

  delete(name: string): void {
    this.all.delete(name);
  }

  set(name: string, value: string): void {
    this.all.set(name, value);
  }

  getSetCookie(): string[] {
    return this.all.getSetCookie();
  }

  forEach(...args: Parameters<Headers['forEach']>): void {
    this.all.forEach(...args);
  }

  keys(): ReturnType<Headers['keys']> {
    return this.all.keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.all.values();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.all.entries();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.all.entries();
  }
}

function headersOf(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 has pseudo headers, which are none.
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of Array.isArray(value) ? value : [value]) result.append(name, one);
  }
  return result;
}
