import { validateHeaderName, validateHeaderValue } from 'node:http';
import { LongwireError } from '../errors.js';
import { VERSION } from '../version.js';
import type { Attempt, HeadersOption } from './channel.js';
import { ACCEPT_ENCODING } from './content-coding.js';

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
export type HeaderRecord = Record<string, string>;

/**
 * Checks headers and puts their names in lower case.
 *
 * @throws TypeError that names the header, and never shows its value.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): HeaderRecord {
  const checked: HeaderRecord = {};
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

/** Who asks, in requests of this library. */
export const USER_AGENT: string = `longwire/${VERSION}`;

/** Sent where the program's headers name none of their name. */
const DEFAULT_HEADERS: HeaderRecord = {
  // There are firewalls that refuse who does not say a name.
  'user-agent': USER_AGENT,
  'accept-encoding': ACCEPT_ENCODING,
};

/** Where the headers of each request come from. A record is checked once, a function's answer each time. */
export type HeaderSource = HeaderRecord | ((attempt: Attempt) => Promise<HeaderRecord>);

/**
 * Makes the source of headers out of the option; `authorization`, the name of this library and what
 * bodies can be decoded are used where it names none.
 *
 * @throws TypeError for a record with a header that is not allowed.
 */
export function headerSource(option: HeadersOption, authorization?: string): HeaderSource {
  const defaults = { ...DEFAULT_HEADERS, ...(authorization !== undefined && { authorization }) };
  if (typeof option !== 'function') return { ...defaults, ...checkHeaders(option) };
  return async (attempt) => {
    try {
      return { ...defaults, ...checkHeaders(await option(attempt)) };
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
