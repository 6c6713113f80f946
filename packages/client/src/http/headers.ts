import { validateHeaderName, validateHeaderValue } from 'node:http';
import { LongwireError } from '../errors.js';
import { VERSION } from '../version.js';
import { ACCEPT_ENCODING } from './content-coding.js';
import type { ChannelOptions, HeadersOption, OutgoingRequest } from '../options/channel-options.js';
import type { HttpRequestOptions } from './request-options.js';
import { isInternal } from './send-options.js';

/** Set by the HTTP layer alone; a program that sets one would break the framing or the routing. */
const RESERVED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a header, in lower case, belongs to the HTTP layer alone. */
export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name);
}

/** Header names in lower case, with their values. */
export type HeaderRecord = Readonly<Record<string, string>>;

/**
 * Checks headers and puts their names in lower case.
 *
 * @throws TypeError that names the header, and never shows its value.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    try {
      validateHeaderName(name);
    } catch {
      throw new TypeError(`headers: ${JSON.stringify(name)} is not a header name`);
    }
    if (isReservedHeader(key)) {
      throw new TypeError(`headers: ${name} is set by the HTTP layer and cannot be given`);
    }
    if (typeof value !== 'string') {
      throw new TypeError(`headers: the value of ${name} is ${typeof value}, not a string`);
    }
    try {
      validateHeaderValue(name, value);
    } catch {
      throw new TypeError(`headers: the value of ${name} has characters that HTTP does not allow`);
    }
    checked[key] = value;
  }
  return checked;
}

/**
 * Checks headers that are made for every request and are mostly the same. Equal headers give
 * the same object as before, which is the key of the cache of {@link RequestHeaders}.
 */
export class CheckedHeaders {
  #given: Readonly<Record<string, string>> = {};
  #size = 0;
  #checked: HeaderRecord | undefined;

  /**
   * The headers with their names in lower case; `undefined` if there are none.
   *
   * @throws TypeError that names the header, and never shows its value.
   */
  of(given: Readonly<Record<string, string>>): HeaderRecord | undefined {
    let size = 0;
    let isSame = true;
    for (const name in given) {
      size++;
      isSame &&= given[name] === this.#given[name];
    }
    if (size === 0) return undefined;
    if (isSame && size === this.#size) return this.#checked;
    const checked = checkHeaders(given);
    this.#given = { ...given };
    this.#size = size;
    this.#checked = checked;
    return checked;
  }
}

/** The name of this library in requests. */
export const USER_AGENT: string = `longwire/${VERSION}`;

/** Sent unless the program's headers name them. */
const DEFAULT_HEADERS: HeaderRecord = {
  // Some firewalls refuse a request without a user agent.
  'user-agent': USER_AGENT,
  'accept-encoding': ACCEPT_ENCODING,
};

/**
 * The program's headers over the defaults. A record is checked once, a function's result each time. A
 * function that gives a record at once gives the same object for the same headers.
 */
export type HeaderSource =
  HeaderRecord | ((outgoing: () => OutgoingRequest) => HeaderRecord | Promise<HeaderRecord>);

/** What the headers of each request are made of. */
export interface HeaderSourceOptions {
  headers?: HeadersOption | undefined;
  /** The credentials of `auth`, over `headers` of the same name. */
  auth?: ChannelOptions['auth']['headers'] | undefined;
  /** Used where neither of the two names one. */
  authorization?: string | undefined;
}

/**
 * Makes the source of headers from the options. The defaults and `authorization` are used where they
 * name none.
 *
 * @throws TypeError for a record with a header that is not allowed.
 */
export function headerSource(options: HeaderSourceOptions): HeaderSource {
  const { headers = {}, auth, authorization } = options;
  const defaults = { ...DEFAULT_HEADERS, ...(authorization !== undefined && { authorization }) };
  const given =
    typeof headers === 'function'
      ? async (request: OutgoingRequest) => checkHeaders(await headers(request))
      : checkHeaders(headers);
  if (typeof given !== 'function' && auth === undefined) return { ...defaults, ...given };
  return async (outgoing) => {
    const request = outgoing();
    try {
      const own = typeof given === 'function' ? await given(request) : given;
      const credentials = auth === undefined ? undefined : checkHeaders(await auth(request));
      return { ...defaults, ...own, ...credentials };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LongwireError(`the headers function failed: ${reason}`, {
        code: 'config',
        certainty: 'not-sent',
        cause,
      });
    }
  };
}

/** What the headers of one client's requests are made from. */
export interface RequestHeadersOptions {
  source: HeaderSource;
  /** Those of every internal request. The same object as long as they are the same. */
  internalHeaders: () => HeaderRecord | undefined;
  /** Sees the headers of every merge. */
  onMerged: (headers: HeaderRecord) => void;
}

/** A merge, with what it was made from. */
interface MergedHeaders {
  program: HeaderRecord;
  transport: HeaderRecord;
  internal: HeaderRecord | undefined;
  flat: string[];
}

/**
 * The headers of the requests of one client. This is the only merge. A later row wins:
 *
 * | | from | on |
 * | --- | --- | --- |
 * | 1 | the defaults, and the user info of the URL | every request |
 * | 2 | the option `headers`, a record or a function; the principal's | every request |
 * | 3 | what the middlewares gave to the handshake | internal requests |
 * | 4 | the options of a call, and what the middlewares gave to it | its requests |
 * | 5 | the transport | every request |
 *
 * A call never gets row 3: it may hold the credentials of somebody else. A cookie of the jar is no
 * row: it is added only where no row has a `Cookie`.
 */
export class RequestHeaders {
  readonly #options: RequestHeadersOptions;
  /** The latest merge by the headers of the call or else of the transport; of fixed headers only. */
  readonly #merged = new WeakMap<HeaderRecord, MergedHeaders>();

  constructor(options: RequestHeadersOptions) {
    this.#options = options;
  }

  /**
   * Names and values in turn, as undici takes them fastest. The same array for the same headers. A
   * promise if the program gives its headers by a function, which is given what `outgoing` returns.
   */
  of(
    { headers: transport, caller }: Pick<HttpRequestOptions, 'headers' | 'caller'>,
    outgoing: { requestTo(url: URL): OutgoingRequest },
    url: URL,
  ): string[] | Promise<string[]> {
    const { source } = this.#options;
    const call = caller?.headers;
    const internal = isInternal(caller) ? this.#options.internalHeaders() : undefined;
    const program = typeof source === 'function' ? source(() => outgoing.requestTo(url)) : source;
    if (program instanceof Promise) {
      return program.then((own) => this.#flatten({ ...own, ...internal, ...call, ...transport }));
    }
    const key = call ?? transport;
    const before = this.#merged.get(key);
    if (
      before?.transport === transport &&
      before.internal === internal &&
      before.program === program
    ) {
      return before.flat;
    }
    const flat = this.#flatten({ ...program, ...internal, ...call, ...transport });
    this.#merged.set(key, { program, transport, internal, flat });
    return flat;
  }

  #flatten(headers: HeaderRecord): string[] {
    this.#options.onMerged(headers);
    return Object.entries(headers).flat();
  }
}

/** Headers of the transport, which do not tell the server who asks. */
const OF_TRANSPORT = /^(?:accept|content-type|cache-control|last-event-id|mcp-.*)$/;

/** The headers, names and values in turn, that may tell the server who asks. */
export function identityIn(headers: readonly string[]): string {
  const identity: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!OF_TRANSPORT.test(name)) identity.push(`${name}: ${headers[at + 1]}`);
  }
  return identity.sort().join('\n');
}

/** Whether a header is among names and values in turn. */
export function hasHeader(headers: readonly string[], name: string): boolean {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return true;
  return false;
}
